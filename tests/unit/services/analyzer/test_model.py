"""The analyzer gives what was asked for and nothing else, and what it gives is DeepFace's own answer."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from services.analyzer.framing import EMOTION_WINDOW, FACE_WINDOW
from services.analyzer.graphs import GRAPHS, lay_out
from services.analyzer.model import MAX_BATCH, FaceAnalyzer
from services.analyzer.stage import AnalyzerStage
from services.common.errors import BundleInvalid, GoldenMismatch
from services.common.inference.boxes import CHIP_SIZE_PX
from services.common.inference.bundle import Bundle, load_bundle, replay_golden
from services.common.schemas import ATTRIBUTES, Attributes
from tests.device import DEVICE
from tests.unit.services.analyzer.conftest import make_bundles

SHIPPED = AnalyzerStage.bundle_folders


@pytest.fixture
def analyzer(tiny_bundles: dict[str, Bundle]) -> FaceAnalyzer:
    return FaceAnalyzer(tiny_bundles, threads=1, device=DEVICE)


@pytest.mark.parametrize("asked", [("age",), ("emotion", "gender"), ATTRIBUTES, ()])
def test_only_what_was_asked_is_answered_and_loaded(
    analyzer: FaceAnalyzer, chips: NDArray[np.uint8], asked: tuple[str, ...]
) -> None:
    answers = analyzer.analyze(chips, asked)
    assert len(answers) == len(chips)
    assert all(set(answer) == set(asked) for answer in answers)
    assert analyzer.loaded == set(asked)


def test_answers_fit_the_api(analyzer: FaceAnalyzer, chips: NDArray[np.uint8]) -> None:
    for answer in analyzer.analyze(chips, ATTRIBUTES):
        face = Attributes.model_validate(answer)
        assert face.age is not None
        assert 0 <= face.age.value <= 100
        assert face.age.spread > 0
        for name in ("gender", "ethnicity", "emotion"):
            scores = getattr(face, name).scores
            assert tuple(scores) == GRAPHS[name].labels
            assert sum(scores.values()) == pytest.approx(1, abs=1e-4)
            assert getattr(face, name).label == max(scores, key=scores.__getitem__)


def test_answers_are_those_of_deepface_analyze(
    analyzer: FaceAnalyzer,
    tiny_bundles: dict[str, Bundle],
    chips: NDArray[np.uint8],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deepface, modeling = _fresh_deepface(tiny_bundles, tmp_path, monkeypatch)
    ours = analyzer.analyze(chips, ATTRIBUTES)
    for chip, own in zip(chips, ours, strict=True):

        def theirs(window: NDArray[np.uint8], *actions: str) -> dict[str, object]:
            picture = np.ascontiguousarray(window[0][:, :, ::-1])
            return deepface.analyze(
                picture, actions=actions, detector_backend="skip", enforce_detection=False, silent=True
            )[0]

        found = theirs(FACE_WINDOW.cut(chip[None]), "age", "gender", "race")
        found |= theirs(EMOTION_WINDOW.cut(chip[None]), "emotion")
        assert found["age"] == int(own["age"]["value"])  # DeepFace cuts the fraction off
        for attribute, action in (("gender", "gender"), ("ethnicity", "race"), ("emotion", "emotion")):
            percent = {name.lower().replace(" ", "_"): value for name, value in found[action].items()}
            assert percent == pytest.approx({k: 100 * v for k, v in own[attribute]["scores"].items()}, abs=1e-2)
            assert found[f"dominant_{action}"].lower().replace(" ", "_") == own[attribute]["label"]
    assert modeling.cached_models["facial_attribute"].keys() == {"Age", "Gender", "Race", "Emotion"}


def test_graph_run_by_hand_agrees(
    analyzer: FaceAnalyzer, tiny_bundles: dict[str, Bundle], chips: NDArray[np.uint8]
) -> None:
    from trainer.attributes.as_served import ServedGraph

    found = analyzer.distributions(chips, ATTRIBUTES)
    for attribute, bundle in tiny_bundles.items():
        by_hand = ServedGraph(bundle.onnx_path.read_bytes(), attribute, threads=1).answer_chips(chips)
        np.testing.assert_allclose(found[attribute], by_hand, atol=1e-5 if DEVICE == "cpu" else 1e-4)


def test_age_is_expectation_and_deviation(analyzer: FaceAnalyzer, chips: NDArray[np.uint8]) -> None:
    row = analyzer.distributions(chips[:1], ("age",))["age"][0]
    ages = np.arange(101)
    answer = analyzer.analyze(chips[:1], ("age",))[0]["age"]
    assert answer["value"] == pytest.approx(float((row * ages).sum()), abs=0.01)
    assert answer["spread"] == pytest.approx(float(np.sqrt((row * (ages - (row * ages).sum()) ** 2).sum())), abs=0.01)


def test_a_crowd_is_answered_in_parts_and_each_face_as_if_alone(
    analyzer: FaceAnalyzer, chips: NDArray[np.uint8]
) -> None:
    crowd = np.concatenate([chips] * (MAX_BATCH // len(chips) + 1))
    assert len(crowd) > MAX_BATCH
    answers = analyzer.distributions(crowd, ("gender",))["gender"]
    alone = np.concatenate([analyzer.distributions(chip[None], ("gender",))["gender"] for chip in crowd])
    np.testing.assert_allclose(answers, alone, atol=1e-5)


def test_no_faces_is_an_empty_answer(analyzer: FaceAnalyzer) -> None:
    assert analyzer.analyze(np.zeros((0, CHIP_SIZE_PX, CHIP_SIZE_PX, 3), dtype=np.uint8), ATTRIBUTES) == []


@pytest.mark.parametrize("wrong", [np.zeros((1, 112, 112, 3), np.uint8), np.zeros((1, 160, 160, 3), np.float32)])
def test_other_shapes_are_refused(analyzer: FaceAnalyzer, wrong: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="chips must be uint8"):
        analyzer.analyze(wrong, ("age",))


def test_sessions_take_the_threads_they_are_given(
    analyzer: FaceAnalyzer, chips: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPFACE_HOME", "elsewhere")
    monkeypatch.delenv("DEEPFACE_BACKEND_ENGINE", raising=False)
    analyzer.analyze(chips, ("age",))
    assert analyzer._client("age").model.get_session_options().intra_op_num_threads == 1
    assert os.environ["DEEPFACE_HOME"] == "elsewhere", "loading leaves the environment as it was"
    assert "DEEPFACE_BACKEND_ENGINE" not in os.environ


def test_a_new_bundle_answers_beside_the_old_one(
    tiny_bundles: dict[str, Bundle], chips: NDArray[np.uint8], tmp_path: Path
) -> None:
    old = FaceAnalyzer(tiny_bundles, threads=1)
    before = old.replay(chips[0])
    new = FaceAnalyzer(make_bundles(tmp_path, chips, seed=2), threads=1)
    assert np.abs(new.replay(chips[0])["gender"] - before["gender"]).max() > 0.01
    np.testing.assert_array_equal(old.replay(chips[0])["gender"], before["gender"])


def test_golden_inputs_notice_another_graph(
    tiny_bundles: dict[str, Bundle], chips: NDArray[np.uint8], tmp_path: Path
) -> None:
    analyzer = FaceAnalyzer(tiny_bundles, threads=1)
    for bundle in tiny_bundles.values():
        replay_golden(bundle, analyzer.replay)
    other = FaceAnalyzer(make_bundles(tmp_path, chips, seed=2), threads=1)
    with pytest.raises(GoldenMismatch):
        replay_golden(tiny_bundles["gender"], other.replay)


def test_a_bundle_of_another_task_is_refused(tiny_bundles: dict[str, Bundle]) -> None:
    with pytest.raises(BundleInvalid):
        FaceAnalyzer({"age": tiny_bundles["gender"]}, threads=1)


def test_shipped_bundles_reproduce_their_golden_outputs() -> None:
    bundles = {attribute: load_bundle(folder) for attribute, folder in SHIPPED.items()}
    analyzer = FaceAnalyzer(bundles, threads=2, device=DEVICE)
    for bundle in bundles.values():
        replay_golden(bundle, analyzer.replay)
    assert sum(bundle.onnx_path.stat().st_size for bundle in bundles.values()) < 25_000_000


def _fresh_deepface(bundles: dict[str, Bundle], home: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """DeepFace as its users have it, reading our bundles from `home`, its model cache empty."""
    lay_out({attribute: bundle.onnx_path for attribute, bundle in bundles.items()}, home)
    monkeypatch.setenv("DEEPFACE_HOME", str(home))
    monkeypatch.setenv("DEEPFACE_BACKEND_ENGINE", "onnx")
    from deepface import DeepFace
    from deepface.modules import modeling

    monkeypatch.setattr(modeling, "cached_models", {task: {} for task in modeling.AVAILABLE_MODELS}, raising=False)
    return DeepFace, modeling
