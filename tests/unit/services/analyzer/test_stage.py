"""The analyzer's work when asked: these attributes and no others, of every face in its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from services.analyzer.model import FaceAnalyzer
from services.analyzer.stage import AnalyzerStage
from services.common.adapters.folder_store import FolderStore
from services.common.errors import ObjectMissing
from services.common.inference.bundle import load_bundle
from services.common.jobs import new_job_id
from services.common.schemas import ATTRIBUTES
from services.common.settings import Settings
from services.common.stages.analyzer import AttributesEstimated, EstimateAttributes
from services.common.work.job_files import JobFiles


@pytest.fixture(scope="module")
def model() -> FaceAnalyzer:
    bundles = {name: load_bundle(folder) for name, folder in AnalyzerStage.bundle_folders.items()}
    return AnalyzerStage().build(bundles, Settings(threads=1, device="cpu"))


def test_only_what_was_asked_is_estimated_of_each_face(model: FaceAnalyzer, tmp_path: Path) -> None:
    files = JobFiles(FolderStore(tmp_path), new_job_id())
    chips = np.random.default_rng(2).integers(0, 256, (2, 160, 160, 3)).astype(np.uint8)
    files.put_chips(chips)
    outcome = AnalyzerStage().run(model, EstimateAttributes(faces=2, analyze=["age", "gender"]), files)
    assert isinstance(outcome.given, AttributesEstimated) and set(outcome.models) == {"age", "gender"}
    assert len(outcome.given.faces) == 2
    for face in outcome.given.faces:
        assert face.age is not None and face.gender is not None and face.emotion is None and face.ethnicity is None
    turned = JobFiles(FolderStore(tmp_path), new_job_id())
    turned.put_chips(chips[::-1])
    again = AnalyzerStage().run(model, EstimateAttributes(faces=2, analyze=["age"]), turned).given
    assert isinstance(again, AttributesEstimated)
    ages = [[face.age.value for face in given.faces if face.age] for given in (outcome.given, again)]
    assert ages[0] == pytest.approx(ages[1][::-1], abs=0.1), "each face has its own estimate"


def test_what_was_not_asked_is_not_computed(tmp_path: Path) -> None:
    fresh = FaceAnalyzer({name: load_bundle(folder) for name, folder in AnalyzerStage.bundle_folders.items()}, 1)
    files = JobFiles(FolderStore(tmp_path), new_job_id())
    files.put_chips(np.full((1, 160, 160, 3), 90, np.uint8))
    AnalyzerStage().run(fresh, EstimateAttributes(faces=1, analyze=["age"]), files)
    assert fresh.loaded == {"age"}


def test_every_estimate_there_is_can_be_asked_for(model: FaceAnalyzer, tmp_path: Path) -> None:
    files = JobFiles(FolderStore(tmp_path), new_job_id())
    files.put_chips(np.full((1, 160, 160, 3), 90, np.uint8))
    outcome = AnalyzerStage().run(model, EstimateAttributes(faces=1, analyze=list(ATTRIBUTES)), files)
    assert isinstance(outcome.given, AttributesEstimated) and outcome.model_ms > 0
    (face,) = outcome.given.faces
    assert face.age is not None and 0 <= face.age.value <= 120 and face.age.spread > 0
    for scores in (face.gender, face.ethnicity, face.emotion):
        assert scores is not None and sum(scores.scores.values()) == pytest.approx(1, abs=0.01)
        assert scores.scores[scores.label] == max(scores.scores.values())
    assert outcome.models == {attribute: model.labels[attribute] for attribute in ATTRIBUTES}


def test_faces_whose_chips_are_gone_are_not_made_up(model: FaceAnalyzer, tmp_path: Path) -> None:
    files = JobFiles(FolderStore(tmp_path), new_job_id())
    with pytest.raises(ObjectMissing):
        AnalyzerStage().run(model, EstimateAttributes(faces=1, analyze=["age"]), files)


def test_no_faces_ask_no_model(model: FaceAnalyzer, tmp_path: Path) -> None:
    files = JobFiles(FolderStore(tmp_path), new_job_id())
    outcome = AnalyzerStage().run(model, EstimateAttributes(faces=0, analyze=["emotion"]), files)
    assert outcome.given == AttributesEstimated(faces=[]) and outcome.model_ms == 0.0
