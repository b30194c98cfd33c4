"""Tiny graphs of DeepFace's contract, with weights of no meaning, as files and as bundles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from services.analyzer.graphs import GRAPHS
from services.analyzer.model import FaceAnalyzer
from services.common.inference.bundle import Bundle, golden_case, write_bundle
from tests.unit.services.analyzer.tiny_graph import tiny_graph


@pytest.fixture(scope="session")
def chips() -> NDArray[np.uint8]:
    """Three smooth pictures (3, 160, 160, 3)."""
    rng = np.random.default_rng(5)
    small = rng.integers(0, 255, (3, 8, 8, 3), dtype=np.uint8)
    return np.repeat(np.repeat(small, 20, axis=1), 20, axis=2)


@pytest.fixture(scope="session")
def tiny_bundles(tmp_path_factory: pytest.TempPathFactory, chips: NDArray[np.uint8]) -> dict[str, Bundle]:
    return make_bundles(tmp_path_factory.mktemp("bundles"), chips, seed=1)


def make_bundles(root: Path, chips: NDArray[np.uint8], seed: int) -> dict[str, Bundle]:
    """A bundle an attribute, its golden outputs recorded from the analyzer itself."""

    def write(attribute: str, outputs: dict[str, NDArray[np.float64]]) -> Bundle:
        graph = GRAPHS[attribute]
        meta = {
            "task": attribute,
            "name": f"tiny-{attribute}",
            "version": str(seed),
            "input": {
                "width_px": graph.side_px,
                "height_px": graph.side_px,
                "channels": "bgr" if graph.channels == 3 else "grey",
                "layout": "nhwc",
            },
            "classes": graph.labels,
            "trained_on": "nothing",
            "licence": "AGPL-3.0-only",
        }
        golden = [golden_case("blocks", chips[0], outputs, atol=1e-4)]
        return write_bundle(
            root / attribute, onnx=tiny_graph(attribute, seed), meta=meta, golden=golden, card="# tiny\n"
        )

    drafts = {attribute: write(attribute, {}) for attribute in GRAPHS}
    recorded = FaceAnalyzer(drafts, threads=1).replay(chips[0])
    return {attribute: write(attribute, {attribute: recorded[attribute]}) for attribute in GRAPHS}
