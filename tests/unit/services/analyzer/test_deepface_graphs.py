"""FACEKIT_ANALYZER_GRAPHS=deepface: DeepFace's own graphs, or a clear word on how to get them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from services.analyzer.deepface_stage import DeepFaceStage
from services.analyzer.graphs import DEEPFACE_VERSION, FETCH_COMMAND, GRAPHS, weights_folder
from services.analyzer.model import FaceAnalyzer
from services.analyzer.stage import AnalyzerStage
from services.common.bootstrap import build_store
from services.common.errors import DeviceUnavailable, WeightsUnavailable
from services.common.inference.bundle import Bundle, load_bundle
from services.common.inference.registry import publish_bundle
from services.common.schemas import ATTRIBUTES, ModelView
from services.common.settings import Settings
from services.common.work.model_slot import ModelSlot
from tests.unit.services.analyzer.tiny_graph import tiny_graph


def put_graphs(home: Path) -> None:
    weights_folder(home).mkdir(parents=True)
    for attribute, graph in GRAPHS.items():
        (weights_folder(home) / graph.file_name).write_bytes(tiny_graph(attribute, seed=3))


def test_graphs_of_the_contract_answer(tmp_path: Path, chips: NDArray[np.uint8]) -> None:
    put_graphs(tmp_path)
    analyzer = DeepFaceStage().build({}, Settings(deepface_home=tmp_path, threads=1))
    assert set(analyzer.analyze(chips, ATTRIBUTES)[0]) == set(ATTRIBUTES)
    assert analyzer.labels["age"] == f"deepface-age@{DEEPFACE_VERSION}"


def test_the_api_is_told_of_deepfaces_models_and_of_none_of_ours(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, deepface_home=tmp_path, threads=1, follow_registry=True)
    store = build_store(settings)
    publish_bundle(store, load_bundle(AnalyzerStage.bundle_folders["age"]))
    slot = ModelSlot(DeepFaceStage(), store, settings)
    assert not slot.refresh(), "a bundle in the registry is not for it"
    assert set(slot.current.views) == set(ATTRIBUTES)
    for attribute, view in slot.current.views.items():
        shown = ModelView.model_validate({**view, "workers": 1})
        assert f"{shown.name}@{shown.version}" == slot.current.model.labels[attribute]
        assert shown.task == attribute and shown.stage == "analyzer"
        assert FETCH_COMMAND in shown.card


def test_missing_graphs_say_what_to_run_and_need_no_restart(tmp_path: Path, chips: NDArray[np.uint8]) -> None:
    analyzer = FaceAnalyzer.with_deepface_graphs(tmp_path, threads=1)
    analyzer.warm_up()
    with pytest.raises(WeightsUnavailable, match=FETCH_COMMAND) as raised:
        analyzer.analyze(chips, ("age",))
    assert raised.value.code == "weights_unavailable"
    put_graphs(tmp_path)
    assert set(analyzer.analyze(chips, ("age",))[0]) == {"age"}


def test_a_gpu_that_is_not_there_is_told_at_the_start(tmp_path: Path, tiny_bundles: dict[str, Bundle]) -> None:
    """Also where no graph is there yet: it is not a job's trouble."""
    settings = Settings(device="cuda", deepface_home=tmp_path)
    for stage, bundles in ((DeepFaceStage(), {}), (AnalyzerStage(), tiny_bundles)):
        with pytest.raises(DeviceUnavailable):
            stage.build(bundles, settings)


@pytest.mark.parametrize("content", [b"", b"<html>Not found</html>", tiny_graph("gender", seed=1, classes=5)])
def test_a_file_that_is_not_the_graph_is_not_used(tmp_path: Path, chips: NDArray[np.uint8], content: bytes) -> None:
    put_graphs(tmp_path)
    (weights_folder(tmp_path) / GRAPHS["gender"].file_name).write_bytes(content)
    analyzer = FaceAnalyzer.with_deepface_graphs(tmp_path, threads=1)
    with pytest.raises(WeightsUnavailable, match=FETCH_COMMAND):
        analyzer.analyze(chips, ("gender",))
    assert set(analyzer.analyze(chips, ("emotion",))[0]) == {"emotion"}
