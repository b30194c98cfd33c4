"""What a verification takes beyond its models, and one estimate beside all, through the whole system."""

from __future__ import annotations

import statistics
import time

import numpy as np
import pytest

from scripts.bench.__main__ import Server
from services.common.schemas import ATTRIBUTES
from tests import photos
from tests.integration.stack import Stack

pytestmark = pytest.mark.timing

JOBS = 30
IDLE_S = 0.1
RATIO_LIMIT = 1.25  # to the time inside the models; 1.20 or 1.21 is usual, 1.26 was seen once


def test_a_verification_takes_little_more_than_its_models(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    server = Server(stack.url)
    anchor, photo = photos.one_face(), photos.jpeg(np.ascontiguousarray(photos.astronaut_rgb()[:, ::-1]))
    server.finished(server.verify(anchor, photo))
    latencies_ms, models_ms = [], []
    for _ in range(JOBS):
        time.sleep(IDLE_S)
        began = time.perf_counter()
        job = server.finished(server.verify(anchor, photo))
        latencies_ms.append((time.perf_counter() - began) * 1000)
        models_ms.append(job["timings_ms"]["detector_model"] + job["timings_ms"]["verifier_model"])
    ratio = statistics.median(latency / models for latency, models in zip(latencies_ms, models_ms, strict=True))
    with capsys.disabled():
        print(f"\nverification of two photos: {statistics.median(latencies_ms):.1f} ms, {ratio:.2f} of the "
              f"{statistics.median(models_ms):.1f} ms in the models")  # fmt: skip
    # Photos are looked at side by side, yet the time in which both are counts once.
    assert 1 < ratio <= RATIO_LIMIT


def test_one_estimate_takes_less_time_than_all(stack: Stack) -> None:
    def analyzer_ms(asked: str) -> float:
        """Time inside the models, the least of three."""
        jobs = [stack.finished(stack.detect(photos.one_face(), analyze=asked).json()["id"]) for _ in range(3)]
        return min(job["timings_ms"]["analyzer_model"] for job in jobs)

    assert analyzer_ms("age") < analyzer_ms(",".join(ATTRIBUTES))
