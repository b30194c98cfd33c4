"""The verifier's stage: an anchor's face and other faces in, how alike they are out."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from services.common.flows.stage import StageSpec, StageWords
from services.common.schemas import Box, Landmarks, Probability, Quality, Schema, Threshold


class FaceToCompare(Schema):
    """Where a face was on its upright photo, in pixels: what its quality is measured by, beside its chip."""

    box: Box
    landmarks: Landmarks
    photo_width: int
    photo_height: int


class CompareFaces(Schema):
    """What the verifier is asked. The chips lie in the job's files, the anchor's first. At most one of `max_far` and
    `threshold` is given; `prior` is the probability of a match before anybody looked."""

    anchor: FaceToCompare
    faces: list[FaceToCompare]
    max_far: float | None = None
    threshold: float | None = None
    prior: float = Field(default=0.5, gt=0, lt=1)


class Comparison(Schema):
    """One face against the anchor; `match` is None where nobody can say."""

    similarity: float
    probability: Probability
    match: bool | None
    quality: Quality


class FacesCompared(Schema):
    """In the order of the faces; `thresholds` is the measured table, `threshold` the row that decided, `worst_group`
    whose `far_worst` it is, `any_false_match` the chance that it accepts at least one of the judged faces if all are
    strangers as in its `far`."""

    anchor_quality: Quality
    threshold: Threshold
    thresholds: list[Threshold] = Field(default=[])
    worst_group: str | None = None
    any_false_match: Probability
    comparisons: list[Comparison]


STAGE: Final = StageSpec(
    name="verifier",
    takes=CompareFaces,
    gives=FacesCompared,
    tasks={"verifier": "Tells whether two faces are one person"},
    words=StageWords("Compare", "Comparing the faces", "comparing"),
)
