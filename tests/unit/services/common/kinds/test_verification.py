"""A verification's result out of what its stages gave: every face once, likeliest first, and what is to be known."""

from __future__ import annotations

import pytest

from services.common.errors import InvalidValue, NoFaceInAnchor
from services.common.flows.outputs import Outputs
from services.common.kinds.verification import KIND, VerificationOptions, VerificationResult
from services.common.schemas import Photo, Quality, Threshold
from services.common.stages import detector, verifier
from services.common.stages.detector import FacesFound, SearchedPhoto
from services.common.stages.verifier import CompareFaces, Comparison, FacesCompared
from tests.unit.services.common.kinds.faces import face

GOOD = Quality(low=False, face_size_px=90, sharpness=80)
POOR = Quality(low=True, face_size_px=9, sharpness=2, reasons=["too_small"])


def outputs(anchors: int = 1, faces: int = 0, anchor: Quality = GOOD, *comparisons: Comparison) -> Outputs:
    photo = Photo(width=640, height=480, url="/x")
    found = {
        "anchor": SearchedPhoto(photo=photo, count=anchors, faces=[face(0)] if anchors else []),
        "original": SearchedPhoto(photo=photo, count=faces, faces=[face(index) for index in range(faces)]),
    }
    made = Outputs()
    made[detector.STAGE] = FacesFound(photos=found)
    threshold = Threshold(value=0.4, far=0.01, frr=0.1)
    made[verifier.STAGE] = FacesCompared(
        anchor_quality=anchor, threshold=threshold, any_false_match=0.02, comparisons=list(comparisons)
    )
    return made


def compared(similarity: float, match: bool | None, quality: Quality = GOOD) -> Comparison:
    return Comparison(similarity=similarity, probability=0.5, match=match, quality=quality)


def result(made: Outputs) -> VerificationResult:
    concluded = KIND.conclude("id", VerificationOptions(), made)
    assert isinstance(concluded, VerificationResult)
    return concluded


def test_matches_and_the_others_come_likeliest_first() -> None:
    made = outputs(1, 5, GOOD, *(compared(s, s > 0.4) for s in (0.1, 0.9, 0.3, 0.5, 0.2)))
    said = result(made)
    assert [match.face.index for match in said.matches] == [1, 3]
    assert [match.face.index for match in said.unmatched] == [2, 4, 0]


def test_a_face_too_poor_to_judge_is_no_match_and_says_so() -> None:
    (poor,) = result(outputs(1, 1, GOOD, compared(0.9, None, POOR))).unmatched
    assert poor.match is None and poor.low_quality and poor.quality == POOR


@pytest.mark.parametrize(
    ("made", "notices"),
    [
        (outputs(1, 1, GOOD, compared(0.9, True)), []),
        (outputs(2, 1, GOOD, compared(0.9, True)), ["several_faces_in_anchor"]),
        (outputs(1, 0, GOOD), ["no_faces"]),
        (outputs(3, 0, POOR), ["several_faces_in_anchor", "no_faces", "low_quality_anchor"]),
    ],
)
def test_what_the_reader_should_know_is_noticed(made: Outputs, notices: list[str]) -> None:
    assert result(made).notices == notices


def test_an_anchor_without_a_face_ends_the_job() -> None:
    find, _ = KIND.steps
    with pytest.raises(NoFaceInAnchor):
        find.accepts(outputs(anchors=0))
    find.accepts(outputs(anchors=1))


def test_the_verifier_is_asked_what_the_user_asked() -> None:
    asked = KIND.step("verifier").asks(VerificationOptions(max_far=0.02, prior=0.1), outputs(1, 2))
    assert isinstance(asked, CompareFaces)
    assert (asked.max_far, asked.threshold, asked.prior) == (0.02, None, 0.1)
    assert [each.box.width for each in (asked.anchor, *asked.faces)] == [20, 20, 21]
    assert (asked.anchor.photo_width, asked.anchor.photo_height) == (640, 480)


def test_results_of_earlier_versions_stay_readable() -> None:
    """As 2026.11.3 wrote them: without a prior, a worst group, or measures beside size and sharpness."""
    poor = {"low": True, "face_size_px": 12.0, "sharpness": 3.1, "reasons": ["too_blurred"]}
    match = {"face": face(0).model_dump(), "similarity": 0.3, "probability": 0.9, "match": None, "quality": poor}
    photo = {"width": 4, "height": 3, "url": "/x"}
    rates = {"value": 0.3, "far": 0.01, "frr": 0.25}
    old = {
        "anchor": photo,
        "image": photo,
        "anchor_face": face(0).model_dump(),
        "anchor_quality": poor | {"low": False, "reasons": []},
        "threshold": rates,
        "thresholds": [rates],
        "notices": [],
        "matches": [],
        "unmatched": [match],
    }
    read = VerificationResult.model_validate(old)
    assert read.unmatched[0].quality and read.unmatched[0].quality.low and read.any_false_match is None


def test_only_one_of_two_ways_to_decide_is_taken() -> None:
    with pytest.raises(InvalidValue, match="not both"):
        VerificationOptions(max_far=0.1, threshold=0.5)
