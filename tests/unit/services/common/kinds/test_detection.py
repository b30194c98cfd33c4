"""A detection: what is asked of the stages, and its result out of what they gave."""

from __future__ import annotations

import pytest

from services.common.errors import UnknownAttribute
from services.common.flows.outputs import Outputs
from services.common.kinds.detection import KIND, DetectionOptions, DetectionResult
from services.common.schemas import AgeEstimate, Attributes, Photo
from services.common.stages import analyzer, detector
from services.common.stages.analyzer import AttributesEstimated, EstimateAttributes
from services.common.stages.detector import FacesFound, FindFaces, PhotoToSearch, SearchedPhoto
from tests.unit.services.common.kinds.faces import face


def found(faces: int) -> Outputs:
    made = Outputs()
    photo = SearchedPhoto(
        photo=Photo(width=640, height=480, url="/x"), count=faces, faces=[face(index) for index in range(faces)]
    )
    made[detector.STAGE] = FacesFound(photos={"original": photo})
    return made


def result(options: DetectionOptions, made: Outputs) -> DetectionResult:
    concluded = KIND.conclude("id", options, made)
    assert isinstance(concluded, DetectionResult)
    return concluded


def test_the_detector_is_asked_what_the_user_asked() -> None:
    options = DetectionOptions(analyze=["age"], min_confidence=0.7, max_faces=3)
    asked = KIND.step("detector").asks(options, Outputs())
    photos = [PhotoToSearch(name="original")]
    assert asked == FindFaces(photos=photos, min_confidence=0.7, max_faces=3, chips=True)


def test_chips_are_cut_only_for_an_analyzer() -> None:
    asked = KIND.step("detector").asks(DetectionOptions(), Outputs())
    assert isinstance(asked, FindFaces) and not asked.chips


def test_a_photo_without_faces_says_so() -> None:
    said = result(DetectionOptions(), found(0))
    assert said.notice == "no_faces" and said.faces == [] and said.annotated_url == "/v1/jobs/id/images/annotated"


def test_each_face_gets_its_own_estimates() -> None:
    options, made = DetectionOptions(analyze=["age"]), found(2)
    assert KIND.step("analyzer").asks(options, made) == EstimateAttributes(faces=2, analyze=["age"])
    estimates = [Attributes(age=AgeEstimate(value=years, spread=5)) for years in (20, 60)]
    made[analyzer.STAGE] = AttributesEstimated(faces=estimates)
    said = result(options, made)
    assert said.notice is None
    assert [face.attributes and face.attributes.age and face.attributes.age.value for face in said.faces] == [20, 60]


def test_attributes_come_once_and_in_one_order() -> None:
    assert DetectionOptions.model_validate({"analyze": ["emotion", "AGE", "age"]}).analyze == ["age", "emotion"]
    with pytest.raises(UnknownAttribute, match="'shoe size'"):
        DetectionOptions.model_validate({"analyze": ["shoe size"]})
