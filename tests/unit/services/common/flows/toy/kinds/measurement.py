"""A toy kind of job: the size of a photo times a factor, and how many faces are on it."""

from pydantic import Field

from services.common.flows.kind import Kind, PhotoField, Step
from services.common.flows.outputs import Outputs
from services.common.schemas import Schema
from services.common.stages import detector, measurer  # type: ignore[attr-defined]
from services.common.stages.detector import FindFaces, PhotoToSearch


class MeasurementOptions(Schema):
    factor: int = Field(default=1, ge=1, le=9, description="What sizes are multiplied by")


class MeasurementResult(Schema):
    size: int
    faces: int


def _conclude(job_id: str, options: MeasurementOptions, outputs: Outputs) -> MeasurementResult:
    size = outputs[measurer.STAGE].bytes["original"] * options.factor
    return MeasurementResult(size=size, faces=outputs[detector.STAGE].photos["original"].count)


KIND = Kind(
    name="measurement",
    path="/v1/measurements",
    operation="measure",
    title="Measure",
    summary="Says how large a photo is.",
    photos=(PhotoField("image", "original", "Any photo"),),
    options=MeasurementOptions,
    result=MeasurementResult,
    steps=(
        Step(measurer.STAGE, lambda options, outputs: measurer.MeasurePhotos(names=["original"]), after=("detector",)),
        Step(detector.STAGE, lambda options, outputs: FindFaces(photos=[PhotoToSearch(name="original")])),
    ),
    conclude=_conclude,
)
