"""The engines under the detector: one answer whichever runs it, alone or side by side, and which one a machine gets."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from services.common.errors import DeviceUnavailable, GoldenMismatch
from services.common.inference.boxes import iou_matrix
from services.common.inference.bundle import Bundle, load_bundle, replay_golden
from services.common.settings import Settings
from services.detector import engines as engines_module
from services.detector import model as detector_model
from services.detector.engines import (
    Engine,
    EngineName,
    Graph,
    LoneOrSideBySide,
    OneForEachShape,
    engines,
    onnx_engine,
    openvino_engine,
)
from services.detector.model import FaceDetector
from services.detector.stage import DetectorStage, on_the_first_that_suits
from tests.photos import astronaut_rgb, crowd_rgb

pytest.importorskip("openvino")

BUNDLE = Path(detector_model.__file__).parent / "model"


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle(BUNDLE)


@pytest.fixture(scope="module")
def by_name(bundle: Bundle) -> Mapping[str, FaceDetector]:
    made = (
        onnx_engine(bundle, 2),
        openvino_engine(bundle, 2, bfloat16=True),
        openvino_engine(bundle, 2, bfloat16=False),
    )
    return {engine.name: FaceDetector(bundle, 2, engine=engine) for engine in made}


NAMES = ("ONNX Runtime, float32", "OpenVINO, bfloat16", "OpenVINO, float32")


@pytest.mark.parametrize("name", NAMES)
def test_golden_cases_replay(by_name: Mapping[str, FaceDetector], name: str) -> None:
    detector = by_name[name]
    replay_golden(detector.bundle, detector.replay, detector.engine.slack)


@pytest.mark.parametrize("name", NAMES[1:])
def test_engines_agree_on_a_crowd(by_name: Mapping[str, FaceDetector], name: str) -> None:
    photo = crowd_rgb(3, 4)
    expected, found = by_name[NAMES[0]].detect(photo), by_name[name].detect(photo)
    assert len(found) == len(expected) == 12
    overlap = iou_matrix(expected.boxes_xyxy, found.boxes_xyxy)
    twin = overlap.argmax(axis=1)
    assert overlap.max(axis=1).min() > 0.93
    np.testing.assert_allclose(found.confidence[twin], expected.confidence, atol=0.03)
    np.testing.assert_allclose(found.landmarks_xy[twin], expected.landmarks_xy, atol=2.0)


@pytest.mark.parametrize("name", NAMES[:2])
def test_photos_side_by_side_are_answered_as_alone(by_name: Mapping[str, FaceDetector], name: str) -> None:
    photos = [astronaut_rgb(), crowd_rgb(2, 3), astronaut_rgb()[:300], crowd_rgb(1, 2)] * 4
    detector = by_name[name]
    alone = [detector.detect(photo) for photo in photos[:4]]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(detector.detect, photos))
    for index, found in enumerate(together):
        expected = alone[index % 4]
        assert len(found) == len(expected)
        np.testing.assert_allclose(found.boxes_xyxy, expected.boxes_xyxy, atol=0.5)


@pytest.mark.parametrize(
    ("name", "bfloat16", "expected"),
    [
        ("auto", True, ["OpenVINO, bfloat16", "ONNX Runtime, float32"]),
        ("auto", False, ["ONNX Runtime, float32"]),
        ("onnxruntime", True, ["ONNX Runtime, float32"]),
        ("openvino", False, ["OpenVINO, float32"]),
    ],
)
def test_a_machine_gets_the_fastest_it_can_run(
    bundle: Bundle, name: EngineName, bfloat16: bool, expected: list[str]
) -> None:
    assert [engine.name for engine in engines(bundle, 1, name, bfloat16=bfloat16)] == expected


@pytest.mark.parametrize("name", ["auto", "onnxruntime", "openvino"])
def test_cuda_is_not_given_a_cpus_engine(bundle: Bundle, name: EngineName) -> None:
    with pytest.raises(DeviceUnavailable, match="CPUs"):
        list(engines(bundle, 1, name, device="cuda", bfloat16=True))


def test_auto_without_cuda_is_the_cpus_engines(bundle: Bundle) -> None:
    found = [engine.name for engine in engines(bundle, 1, device="auto", bfloat16=True)]
    assert found == ["OpenVINO, bfloat16", "ONNX Runtime, float32"]


def test_an_engine_that_answers_wrongly_gives_way_to_the_next(bundle: Bundle, caplog: pytest.LogCaptureFixture) -> None:
    good = onnx_engine(bundle, 1)
    detector = on_the_first_that_suits(bundle, 1, [_blind(good), good])
    assert detector.engine is good
    assert "blind does not suit this machine" in caplog.text


def test_a_bundle_no_engine_replays_is_refused(bundle: Bundle) -> None:
    with pytest.raises(GoldenMismatch, match="astronaut"):
        on_the_first_that_suits(bundle, 1, [_blind(onnx_engine(bundle, 1))])


def test_the_worker_runs_the_engine_the_settings_name(bundle: Bundle) -> None:
    settings = Settings(detector_engine="onnxruntime", threads=1)
    assert DetectorStage().build({"detector": bundle}, settings).engine.name == "ONNX Runtime, float32"


def test_importing_openvino_reports_to_nobody() -> None:
    """Its import calls home wherever `openvino_telemetry` can be imported, so here it must not be."""
    script = """
import socket, sys
def refuse(*_): raise AssertionError("a connection was opened")
socket.socket.connect = refuse
from services.detector.engines import engines
from services.common.inference.bundle import load_bundle
from pathlib import Path
next(engines(load_bundle(Path(sys.argv[1])), 1, "openvino"))
assert "openvino" in sys.modules and sys.modules["openvino_telemetry"] is None
"""
    subprocess.run([sys.executable, "-c", script, str(BUNDLE)], check=True, timeout=120)


def _blind(engine: Engine) -> Engine:
    """The engine, seeing everything black."""

    def run(picture: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        return engine.run(np.zeros_like(picture))

    return Engine("blind", run)


def test_a_lone_photo_takes_all_threads_and_photos_side_by_side_one_each() -> None:
    taken: list[str] = []

    def graph(name: str) -> Graph:
        def run(_picture: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
            taken.append(name)
            empty = np.zeros((1, 1, 0), dtype=np.float32)
            return empty, empty, empty

        return run

    engine = LoneOrSideBySide(graph("all"), graph("one"))
    picture = np.zeros((32, 32, 3), dtype=np.uint8)
    with engine.photo():
        engine(picture)
        with ThreadPoolExecutor(1) as other, engine.photo():
            there, over = threading.Event(), threading.Event()

            def decode() -> None:
                with engine.photo():
                    there.set()
                    over.wait(20)

            decoding = other.submit(decode)
            assert there.wait(20)
            engine(picture)
            over.set()
            decoding.result()
        engine(picture)
    engine(picture)
    assert taken == ["all", "one", "all", "all"]


@pytest.mark.parametrize(
    ("threads", "at_once", "expected"),
    [(1, 2, [1]), (2, None, [2, 1]), (2, 3, [2, 1]), (2, 1, [2]), (4, 4, [4, 1]), (16, 4, [16, 4])],
)
def test_photos_side_by_side_share_the_threads(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, threads: int, at_once: int | None, expected: list[int]
) -> None:
    made: list[int] = []
    monkeypatch.setattr(engines_module, "_onnx_graph", lambda _path, threads, *_: made.append(threads))
    onnx_engine(bundle, threads, at_once)
    assert made == expected
    made.clear()
    monkeypatch.setattr(engines_module, "_openvino_graph", lambda *_, streams: made.append(threads // streams))
    openvino_engine(bundle, threads, at_once, bfloat16=False)
    assert made == expected


def test_each_shape_of_picture_has_a_graph_of_its_own() -> None:
    """The first is opened at once, later ones when their shape comes; the shape that waited longest gives way."""
    opened: list[int] = []

    def open_graph() -> Graph:
        number = len(opened)
        opened.append(number)
        return lambda picture: (np.full(1, number, np.float32),) * 3

    graphs = OneForEachShape(open_graph)
    assert len(opened) == 1

    def answered(height_px: int) -> int:
        return int(graphs(np.zeros((height_px, 32, 3), dtype=np.uint8))[0][0])

    heights = [32 * (1 + number) for number in range(OneForEachShape.KEPT)]
    assert [answered(height) for height in heights] == list(range(OneForEachShape.KEPT))
    assert answered(heights[0]) == 0 and len(opened) == OneForEachShape.KEPT
    assert answered(4096) == OneForEachShape.KEPT
    assert answered(heights[0]) == 0, "it was used after the second"
    assert answered(heights[1]) == OneForEachShape.KEPT + 1, "the second was given up"
