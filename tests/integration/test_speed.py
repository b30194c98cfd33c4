"""What a verification takes beyond its models, through the whole system. FACEKIT_QUIET_MACHINE=1 asserts the ratio."""

from __future__ import annotations

import os
import statistics
import time

import numpy as np
import pytest

from scripts.bench.__main__ import Server
from tests import photos
from tests.integration.stack import Stack

JOBS = 30 if os.environ.get("FACEKIT_QUIET_MACHINE") else 10
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
    assert ratio > 1
    if os.environ.get("FACEKIT_QUIET_MACHINE"):
        assert ratio <= RATIO_LIMIT
