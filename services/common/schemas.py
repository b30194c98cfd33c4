"""Faces, photos, models and problems: the one vocabulary of the API and the workers.

Options and results of a kind of job are in `kinds`, what stages hand each other in `stages`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Attribute = Literal["age", "gender", "ethnicity", "emotion"]
ATTRIBUTES: tuple[Attribute, ...] = ("age", "gender", "ethnicity", "emotion")

Point = tuple[float, float]
Probability = Annotated[float, Field(ge=0, le=1)]


class Schema(BaseModel):
    # Answers are sent with their defaults, so nothing declared is ever absent from one.
    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


class Box(Schema):
    """In pixels of the upright photo."""

    x: float = Field(description="Left edge in pixels of the upright photo")
    y: float = Field(description="Top edge in pixels of the upright photo")
    width: float = Field(description="Width in pixels")
    height: float = Field(description="Height in pixels")


class Landmarks(Schema):
    """Pixels x, y of the upright photo; left and right as seen in the picture."""

    left_eye: Point = Field(description="The eye on the left of the picture: x, y in pixels")
    right_eye: Point = Field(description="The eye on the right of the picture: x, y in pixels")
    nose: Point = Field(description="Tip of the nose: x, y in pixels")
    left_mouth: Point = Field(description="Corner of the mouth on the left of the picture: x, y in pixels")
    right_mouth: Point = Field(description="Corner of the mouth on the right of the picture: x, y in pixels")


class AgeEstimate(Schema):
    """Years: the expectation of the estimated distribution and its standard deviation."""

    value: float = Field(description="Years: the mean of the estimated distribution")
    spread: float = Field(description="Years: its standard deviation")


class Scores(Schema):
    """The likeliest label and the whole distribution, which sums to 1."""

    label: str = Field(description="The likeliest label")
    scores: dict[str, float] = Field(description="The probability of every label; they sum to 1")


class Attributes(Schema):
    """Estimates; only what was asked for is there."""

    age: AgeEstimate | None = Field(default=None, description="How old the face looks")
    gender: Scores | None = Field(default=None, description="`woman` or `man`, as the face looks")
    ethnicity: Scores | None = Field(default=None, description="One of six, as the face looks")
    emotion: Scores | None = Field(default=None, description="One of seven, as the face looks")


class Face(Schema):
    """A face of a photo."""

    index: int = Field(description="Its number on the photo, from 0; the largest face comes first")
    box: Box = Field(description="Where the face is")
    confidence: Probability = Field(description="How sure the detector is that this is a face, 0 to 1")
    landmarks: Landmarks = Field(description="Five points of the face")
    crop_url: str = Field(description="The face cut out of the photo, with some margin: a JPEG")
    attributes: Attributes | None = Field(default=None, description="Estimates, where they were asked for")


class Photo(Schema):
    """Size of the upright photo in pixels, and where a browser can load it."""

    width: int = Field(description="Pixels of the upright photo")
    height: int = Field(description="Pixels of the upright photo")
    url: str = Field(description="The photo, as a browser can show it")


class Threshold(Schema):
    """A similarity and the error rates measured at it. Where there is no `far_any`, `far` is of any two strangers."""

    value: float = Field(description="Similarity from which a face counts as a match")
    far: Probability = Field(
        description="Share of strangers who look alike (same gender, ethnicity, age within ten years) accepted at it"
    )
    frr: Probability = Field(description="Share of true pairs rejected at it")
    far_any: Probability | None = Field(default=None, description="Share of any two strangers accepted at it")
    far_worst: Probability | None = Field(default=None, description="`far` within the group where it is highest")


QualityReason = Literal["too_small", "too_dark", "low_contrast", "too_blurred", "cut_off", "turned_away"]


class Quality(Schema):
    """Whether a face is good enough to be judged, and the measures that say so."""

    low: bool = Field(description="Whether the face is too poor to be judged at all; `turned_away` alone is not")
    face_size_px: float = Field(description="Shorter side of its box, in pixels of the photo")
    sharpness: float = Field(description="Variance of the Laplacian over that of the grey levels, a hundredfold")
    brightness: float | None = Field(default=None, description="Mean grey level of the aligned face, 0 to 255")
    contrast: float | None = Field(default=None, description="Standard deviation of its grey levels")
    turn: float | None = Field(default=None, description="Nose beside the eyes' middle, in eye distances; 0.6 is 45°")
    inside: float | None = Field(default=None, description="Share of the aligned face that the photo shows, 0 to 1")
    reasons: list[QualityReason] = Field(default=[], description="What is too poor; `turned_away` only voids a `no`")


class Problem(BaseModel):
    """RFC 9457 problem details. `code`, `advice`, `retryable` and `about_photo` are extension members."""

    type: str = Field(default="about:blank", description="Always `about:blank`: `code` says what the problem is")
    title: str = Field(description="What happened, in a few words")
    status: int = Field(description="The HTTP status, once more")
    detail: str = Field(description="A sentence about this case, for people")
    code: str = Field(description="Stable name of the problem, for programs")
    advice: str = Field(description="What to do about it")
    retryable: bool = Field(description="Whether the same request can succeed later")
    about_photo: bool = Field(description="Whether only another photo can help")
    instance: str | None = Field(default=None, description="The path that was asked for")


class ModelView(Schema):
    """A model that answers right now."""

    task: str = Field(description="What it does: `detector`, `verifier`, or the attribute it estimates")
    name: str = Field(description="Name of the bundle")
    version: str = Field(description="Version of the bundle")
    stage: str = Field(description="The stage whose workers run it")
    metrics: dict[str, Any] = Field(description="Figures from its bundle, with what they were measured on")
    parameters: dict[str, Any] = Field(description="The knobs its bundle sets: sizes, thresholds")
    trained_on: str = Field(description="The data it learned from")
    licence: str = Field(description="The terms of its weights")
    sha256: str | None = Field(description="Checksum of the graph; null for one that is no bundle of ours")
    card: str = Field(description="The model card, Markdown")
    workers: int = Field(description="How many live workers run it")


class ModelList(Schema):
    """The models that answer right now."""

    models: list[ModelView] = Field(description="One entry a version")


def image_url(job_id: str, name: str) -> str:
    return f"/v1/jobs/{job_id}/images/{name}"
