"""FACEKIT_ANALYZER_GRAPHS=deepface: DeepFace's own graphs, or a clear word on how to get them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from services.analyzer.graphs import DEEPFACE_VERSION, FETCH_COMMAND, GRAPHS, weights_folder
from services.analyzer.model import FaceAnalyzer
from services.common.errors import WeightsUnavailable
from services.common.schemas import ATTRIBUTES
from services.common.settings import Settings
from tests.unit.services.analyzer.tiny_graph import tiny_graph


def put_graphs(home: Path) -> None:
    weights_folder(home).mkdir(parents=True)
    for attribute, graph in GRAPHS.items():
        (weights_folder(home) / graph.file_name).write_bytes(tiny_graph(attribute, seed=3))


def test_graphs_of_the_contract_answer(tmp_path: Path, chips: NDArray[np.uint8]) -> None:
    put_graphs(tmp_path)
    analyzer = FaceAnalyzer.from_settings({}, Settings(analyzer_graphs="deepface", deepface_home=tmp_path, threads=1))
    assert set(analyzer.analyze(chips, ATTRIBUTES)[0]) == set(ATTRIBUTES)
    assert analyzer.labels["age"] == f"deepface-age@{DEEPFACE_VERSION}"


def test_missing_graphs_say_what_to_run_and_need_no_restart(tmp_path: Path, chips: NDArray[np.uint8]) -> None:
    analyzer = FaceAnalyzer.with_deepface_graphs(tmp_path, threads=1)
    analyzer.warm_up()
    with pytest.raises(WeightsUnavailable, match=FETCH_COMMAND) as raised:
        analyzer.analyze(chips, ("age",))
    assert raised.value.code == "weights_unavailable"
    put_graphs(tmp_path)
    assert set(analyzer.analyze(chips, ("age",))[0]) == {"age"}


@pytest.mark.parametrize("content", [b"", b"<html>Not found</html>", tiny_graph("gender", seed=1, classes=5)])
def test_a_file_that_is_not_the_graph_is_not_used(tmp_path: Path, chips: NDArray[np.uint8], content: bytes) -> None:
    put_graphs(tmp_path)
    (weights_folder(tmp_path) / GRAPHS["gender"].file_name).write_bytes(content)
    analyzer = FaceAnalyzer.with_deepface_graphs(tmp_path, threads=1)
    with pytest.raises(WeightsUnavailable, match=FETCH_COMMAND):
        analyzer.analyze(chips, ("gender",))
    assert set(analyzer.analyze(chips, ("emotion",))[0]) == {"emotion"}
