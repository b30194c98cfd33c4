"""A toy stage: says how large each photo of a job is."""

from services.common.flows.stage import StageSpec, StageWords
from services.common.schemas import Schema


class MeasurePhotos(Schema):
    names: list[str]


class PhotosMeasured(Schema):
    bytes: dict[str, int]


STAGE = StageSpec(
    name="measurer",
    takes=MeasurePhotos,
    gives=PhotosMeasured,
    tasks={"ruler": "Measures photos"},
    words=StageWords("Measure", "Measuring", "measuring"),
)
