"""All four attributes of a face through DeepFace: ours beside graphs of DeepFace's architecture, in one process.

FACEKIT_QUIET_MACHINE=1 asserts milliseconds too; beside other work only the ratio means something.
"""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from services.analyzer.graphs import GRAPHS, weights_folder
from services.analyzer.model import FaceAnalyzer
from services.analyzer.stage import AnalyzerStage
from services.common.bundle import load_bundle
from services.common.schemas import ATTRIBUTES
from tests.unit.services.analyzer.original_graph import original_graph

THREADS = 2


@pytest.mark.slow
def test_ours_are_twenty_times_faster_than_deepfaces_architecture(
    tmp_path: Path, chips: NDArray[np.uint8], capsys: pytest.CaptureFixture[str]
) -> None:
    weights_folder(tmp_path).mkdir(parents=True)
    for attribute, graph in GRAPHS.items():
        (weights_folder(tmp_path) / graph.file_name).write_bytes(original_graph(attribute))
    original = FaceAnalyzer.with_deepface_graphs(tmp_path, THREADS)
    bundles = {name: load_bundle(folder) for name, folder in AnalyzerStage.bundle_folders.items()}
    ours = FaceAnalyzer(bundles, THREADS)
    # Turn and turn about, so that another process's load falls on both.
    times = {id(ours): [], id(original): []}
    for analyzer in (ours, original):
        analyzer.warm_up()
    for _ in range(5):
        for analyzer, repeats in ((original, 1), (ours, 10)):
            for _ in range(repeats):
                began = time.perf_counter()
                analyzer.analyze(chips[:1], ATTRIBUTES)
                times[id(analyzer)].append((time.perf_counter() - began) * 1000)
    ours_ms, original_ms = (statistics.median(times[id(analyzer)]) for analyzer in (ours, original))
    with capsys.disabled():
        print(f"\nfour attributes of a face, {THREADS} threads: {ours_ms:.1f} ms, original {original_ms:.0f} ms, "
              f"{original_ms / ours_ms:.0f} times")  # fmt: skip
    assert original_ms / ours_ms >= 20
    if os.environ.get("FACEKIT_QUIET_MACHINE"):
        assert ours_ms <= 25
