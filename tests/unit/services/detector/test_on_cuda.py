"""The detector on a GPU of NVIDIA's, held to its golden answers and to what the CPU says (`make test-gpu`)."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from services.common.inference.boxes import iou_matrix
from services.common.inference.bundle import load_bundle, replay_golden
from services.detector import model as detector_model
from services.detector.engines import cuda_engine, onnx_engine
from services.detector.model import FaceDetector
from tests.device import DEVICE
from tests.photos import astronaut_rgb, crowd_rgb

pytestmark = pytest.mark.skipif(DEVICE != "cuda", reason="FACEKIT_TEST_DEVICE is not cuda: run make test-gpu")

BUNDLE = Path(detector_model.__file__).parent / "model"
THREADS = 2


@pytest.fixture(scope="module")
def on_gpu() -> FaceDetector:
    bundle = load_bundle(BUNDLE)
    return FaceDetector(bundle, THREADS, engine=cuda_engine(bundle, THREADS))


@pytest.fixture(scope="module")
def on_cpu() -> FaceDetector:
    bundle = load_bundle(BUNDLE)
    return FaceDetector(bundle, THREADS, engine=onnx_engine(bundle, THREADS))


def test_golden_cases_replay(on_gpu: FaceDetector) -> None:
    replay_golden(on_gpu.bundle, on_gpu.replay)


def test_a_crowd_is_found_as_on_the_cpu(on_gpu: FaceDetector, on_cpu: FaceDetector) -> None:
    photo = crowd_rgb(3, 4)
    expected, found = on_cpu.detect(photo), on_gpu.detect(photo)
    assert len(found) == len(expected) == 12
    overlap = iou_matrix(expected.boxes_xyxy, found.boxes_xyxy)
    assert overlap.max(axis=1).min() > 0.99
    np.testing.assert_allclose(found.confidence[overlap.argmax(axis=1)], expected.confidence, atol=1e-3)


def test_photos_side_by_side_are_answered_as_alone(on_gpu: FaceDetector) -> None:
    photos = [astronaut_rgb(), crowd_rgb(2, 3), astronaut_rgb()[:300], crowd_rgb(1, 2)] * 8
    alone = [on_gpu.detect(photo) for photo in photos[:4]]
    with ThreadPoolExecutor(4) as pool:
        for index, found in enumerate(pool.map(on_gpu.detect, photos)):
            np.testing.assert_allclose(found.boxes_xyxy, alone[index % 4].boxes_xyxy, atol=0.1)


@pytest.mark.timing
def test_a_look_is_faster_than_on_the_cpu(
    on_gpu: FaceDetector, on_cpu: FaceDetector, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, times = crowd_rgb(3, 4), {id(on_gpu): [], id(on_cpu): []}
    for detector in (on_gpu, on_cpu):
        detector.detect(photo)
    for _ in range(20):
        for detector in (on_gpu, on_cpu):
            began = time.perf_counter()
            detector.detect(photo)
            times[id(detector)].append((time.perf_counter() - began) * 1000)
    gpu_ms, cpu_ms = (statistics.median(times[id(detector)]) for detector in (on_gpu, on_cpu))
    with capsys.disabled():
        print(f"\na photo of twelve faces: {gpu_ms:.1f} ms on the GPU, {cpu_ms:.1f} ms on {THREADS} threads of the CPU")
    assert gpu_ms < cpu_ms


@pytest.mark.timing
def test_photos_of_changing_shape_are_planned_once_each(
    on_gpu: FaceDetector, capsys: pytest.CaptureFixture[str]
) -> None:
    shapes = [crowd_rgb(3, 4), crowd_rgb(4, 3), crowd_rgb(2, 4)]
    first, later = [], []
    for turn in range(6):
        for photo in shapes:
            began = time.perf_counter()
            on_gpu.detect(photo)
            (later if turn else first).append((time.perf_counter() - began) * 1000)
    with capsys.disabled():
        print(
            f"\na shape of photo: {statistics.median(first):.0f} ms at first, {statistics.median(later):.1f} ms later"
        )
    assert statistics.median(later) < 40
