"""What a face costs alone, and among sixteen."""

from __future__ import annotations

import statistics
import time

import numpy as np
import pytest

from services.common.inference.bundle import load_bundle
from services.verifier.model import FaceVerifier
from services.verifier.stage import VerifierStage
from tests.device import DEVICE

THREADS = 2
LONE_FACE_LIMIT_MS = 8.0
BATCH = 16
ONE_OF_MANY_LIMIT_MS = 5.0


@pytest.mark.timing
def test_a_face_is_embedded_in_milliseconds_and_cheaper_in_a_batch(capsys: pytest.CaptureFixture[str]) -> None:
    model = FaceVerifier(load_bundle(VerifierStage.bundle_folders["verifier"]), THREADS, DEVICE)
    chips = np.random.default_rng(0).integers(0, 256, (BATCH, 160, 160, 3), dtype=np.uint8)
    model.warm_up()
    model.embed(chips)
    wall_ms: dict[int, list[float]] = {1: [], BATCH: []}
    for _ in range(15):  # turn and turn about, so that another process's load falls on both
        for count, repeats in ((1, 4), (BATCH, 1)):
            for _ in range(repeats):
                began = time.perf_counter()
                model.embed(chips[:count])
                wall_ms[count].append((time.perf_counter() - began) * 1000 / count)
    lone_ms, batched_ms = (statistics.median(wall_ms[count]) for count in (1, BATCH))
    with capsys.disabled():
        print(f"\nembedding, {THREADS} threads: {lone_ms:.1f} ms a lone face, {batched_ms:.1f} ms one of {BATCH}")
    assert lone_ms <= LONE_FACE_LIMIT_MS
    assert batched_ms <= ONE_OF_MANY_LIMIT_MS
