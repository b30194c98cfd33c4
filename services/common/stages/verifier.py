"""The verifier's stage: an anchor's face and other faces in, how alike they are out."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from services.common.flows.stage import StageSpec, StageWords
from services.common.schemas import Probability, Quality, Schema, Threshold


class CompareFaces(Schema):
    """What the verifier is asked. Sizes are the shorter sides of the faces' boxes in photo pixels; the chips lie in the
    job's files, the anchor's first. At most one of `max_far` and `threshold` is given."""

    anchor_size_px: float
    face_sizes_px: list[float]
    max_far: float | None = None
    threshold: float | None = None


class Comparison(Schema):
    """One face against the anchor; `match` is None where either is too poor to judge."""

    similarity: float
    probability: Probability
    match: bool | None
    quality: Quality


class FacesCompared(Schema):
    """In the order of the faces; `thresholds` is the measured table, `threshold` the row that decided."""

    anchor_quality: Quality
    threshold: Threshold
    thresholds: list[Threshold] = Field(default=[])
    comparisons: list[Comparison]


STAGE: Final = StageSpec(
    name="verifier",
    takes=CompareFaces,
    gives=FacesCompared,
    tasks={"verifier": "Tells whether two faces are one person"},
    words=StageWords("Compare", "Comparing the faces", "comparing"),
)
