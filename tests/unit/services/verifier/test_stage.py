"""The verifier's work when asked: it decides where the user said, and not at all where a face is too poor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from services.common.adapters.folder_store import FolderStore
from services.common.errors import ObjectMissing
from services.common.inference.bundle import load_bundle
from services.common.jobs import new_job_id
from services.common.stages.verifier import CompareFaces, FacesCompared
from services.common.work.job_files import JobFiles
from services.verifier.model import FaceVerifier
from services.verifier.stage import VerifierStage
from tests.device import DEVICE
from tests.unit.services.verifier.faces import face

SIMILARITIES = (0.45, 0.2, -0.3)


class Known(FaceVerifier):
    """The shipped verifier with embeddings of known similarity to the first: everything else is its own."""

    def embed(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        embeddings = [(1.0, 0.0), *((s, (1 - s * s) ** 0.5) for s in SIMILARITIES)]
        return np.array(embeddings[: len(chips)], np.float32)


@pytest.fixture(scope="module")
def model() -> Known:
    return Known(load_bundle(VerifierStage.bundle_folders["verifier"]), threads=1, device=DEVICE)


def sharp(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 256, (count, 160, 160, 3)).astype(np.uint8)


def compare(
    model: Known, folder: Path, chips: NDArray[np.uint8], *, anchor_px: float = 90, face_px: float = 90, **asked: float
) -> FacesCompared:
    files = JobFiles(FolderStore(folder), new_job_id())
    files.put_chips(chips)
    task = CompareFaces(anchor=face(anchor_px), faces=[face(face_px)] * (len(chips) - 1), **asked)
    outcome = VerifierStage().run(model, task, files)
    assert isinstance(outcome.given, FacesCompared) and outcome.models == {"verifier": model.label}
    return outcome.given


@pytest.mark.parametrize(
    ("threshold", "decisions"),
    [(0.1, [True, True, False]), (0.4, [True, False, False]), (0.45, [True, False, False]), (0.9, [False] * 3)],
)
def test_the_threshold_asked_for_decides(model: Known, tmp_path: Path, threshold: float, decisions: list[bool]) -> None:
    said = compare(model, tmp_path, sharp(4), threshold=threshold)
    assert said.threshold.value == threshold
    assert [each.match for each in said.comparisons] == decisions
    assert [each.similarity for each in said.comparisons] == list(SIMILARITIES)


def test_a_lower_false_accept_rate_decides_higher_up(model: Known, tmp_path: Path) -> None:
    lenient, usual, strict = (
        compare(model, tmp_path, sharp(4), **asked) for asked in ({"max_far": 0.2}, {}, {"max_far": 0.001})
    )
    assert lenient.threshold.value < usual.threshold.value < strict.threshold.value
    assert lenient.threshold.far <= 0.2 and strict.threshold.far <= 0.001
    for said in (lenient, usual, strict):
        decided = [each.match for each in said.comparisons]
        assert decided == [similarity >= said.threshold.value for similarity in SIMILARITIES]


def test_nobody_judges_a_face_too_poor(model: Known, tmp_path: Path) -> None:
    said = compare(model, tmp_path, sharp(2), face_px=5, threshold=0.0)
    (only,) = said.comparisons
    assert only.match is None and only.quality.low and only.quality.reasons == ["too_small"]
    assert not said.anchor_quality.low and said.any_false_match == 0.0


def test_nobody_is_compared_with_an_anchor_too_poor(model: Known, tmp_path: Path) -> None:
    said = compare(model, tmp_path, sharp(2), anchor_px=5, threshold=0.0)
    assert said.anchor_quality.low and said.comparisons[0].match is None


def test_the_anchor_alone_is_no_error(model: Known, tmp_path: Path) -> None:
    said = compare(model, tmp_path, sharp(1))
    assert said.comparisons == [] and said.any_false_match == 0.0


def test_more_faces_make_a_false_match_likelier(model: Known, tmp_path: Path) -> None:
    one, three = (compare(model, tmp_path, sharp(count), max_far=0.1) for count in (2, 4))
    assert one.any_false_match == pytest.approx(one.threshold.far, abs=1e-4)
    assert three.any_false_match == pytest.approx(1 - (1 - one.threshold.far) ** 3, abs=1e-4)


def test_the_prior_moves_the_probability_and_no_decision(model: Known, tmp_path: Path) -> None:
    rare, even = (compare(model, tmp_path, sharp(4), threshold=0.1, prior=prior) for prior in (0.01, 0.5))
    assert [each.match for each in rare.comparisons] == [each.match for each in even.comparisons]
    for low, usual in zip(rare.comparisons, even.comparisons, strict=True):
        assert 0 < low.probability <= usual.probability < 1
    assert rare.comparisons[1].probability < even.comparisons[1].probability


def test_faces_whose_chips_are_gone_are_not_compared(model: Known, tmp_path: Path) -> None:
    files = JobFiles(FolderStore(tmp_path), new_job_id())
    with pytest.raises(ObjectMissing):
        VerifierStage().run(model, CompareFaces(anchor=face(90), faces=[face(90)]), files)


def test_no_face_is_compared_by_the_chip_of_another(model: Known, tmp_path: Path) -> None:
    files = JobFiles(FolderStore(tmp_path), new_job_id())
    files.put_chips(sharp(4))
    with pytest.raises(ValueError, match="zip"):
        VerifierStage().run(model, CompareFaces(anchor=face(90), faces=[face(90)] * 2), files)
