"""The analyzer's stage: aligned faces in, estimates out."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from services.common.flows.stage import StageSpec, StageWords
from services.common.schemas import ATTRIBUTES, Attribute, Attributes, Schema


class EstimateAttributes(Schema):
    """What the analyzer is asked: these attributes of so many faces, whose chips lie in the job's files."""

    faces: int = Field(ge=0)
    analyze: list[Attribute]


class AttributesEstimated(Schema):
    """The estimates of each face, in the order of the chips."""

    faces: list[Attributes]


STAGE: Final = StageSpec(
    name="analyzer",
    takes=EstimateAttributes,
    gives=AttributesEstimated,
    tasks={attribute: f"Estimates {attribute}" for attribute in ATTRIBUTES},
    words=StageWords("Estimate", "Making the estimates", "estimates"),
)
