"""The steps of a kind make one order, and what stages hand each other is of its schema."""

from __future__ import annotations

import dataclasses

import pytest

from services.common.errors import InternalError
from services.common.flows.outputs import Outputs
from services.common.kinds.detection import KIND, DetectionOptions
from services.common.schemas import Photo
from services.common.stages import detector
from services.common.stages.detector import FacesFound, SearchedPhoto

FIND, ESTIMATE = KIND.steps


def test_steps_run_after_what_they_need_however_they_are_listed() -> None:
    turned = dataclasses.replace(KIND, steps=(ESTIMATE, FIND))
    assert turned.flow(DetectionOptions(analyze=["age"])) == ("detector", "analyzer")


@pytest.mark.parametrize(
    "steps",
    [
        (),
        (FIND, FIND),
        (ESTIMATE,),
        (dataclasses.replace(FIND, after=("analyzer",)), ESTIMATE),
        (dataclasses.replace(FIND, after=("nobody",)),),
    ],
)
def test_steps_that_make_no_order_are_refused(steps: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match=r"no order|circle"):
        dataclasses.replace(KIND, steps=steps)


def found(faces: int = 0) -> FacesFound:
    photo = Photo(width=4, height=3, url="/x")
    return FacesFound(photos={"original": SearchedPhoto(photo=photo, count=faces, faces=[])})


def test_outputs_outlive_the_process_that_made_them() -> None:
    outputs = Outputs()
    outputs[detector.STAGE] = found()
    assert Outputs(outputs.stored())[detector.STAGE] == found()


@pytest.mark.parametrize("stored", [{}, {"detector": {"photos": {"original": {"faces": 3}}}}, {"detector": None}])
def test_outputs_of_another_shape_are_an_error(stored: dict[str, object]) -> None:
    with pytest.raises(InternalError):
        Outputs(stored)[detector.STAGE]


def test_an_output_of_another_stage_is_an_error() -> None:
    outputs = Outputs()
    outputs[detector.STAGE] = detector.FindFaces(photos=[detector.PhotoToSearch(name="x")])  # type: ignore[assignment]
    with pytest.raises(InternalError, match="gave FindFaces"):
        outputs[detector.STAGE]
