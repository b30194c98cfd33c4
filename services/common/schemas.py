"""Requests, results and problems: the one vocabulary of the API and the workers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.common.jobs import Job, JobKind, JobStatus

Attribute = Literal["age", "gender", "ethnicity", "emotion"]
ATTRIBUTES: tuple[Attribute, ...] = ("age", "gender", "ethnicity", "emotion")

Point = tuple[float, float]
Probability = Annotated[float, Field(ge=0, le=1)]


class Schema(BaseModel):
    model_config = ConfigDict(extra="forbid")


class DetectionOptions(Schema):
    """What a detection was asked for. `min_confidence` None means the model's own default."""

    analyze: list[Attribute] = []
    min_confidence: float | None = Field(default=None, ge=0.01, le=1)
    max_faces: int = Field(default=1000, ge=1, le=1000)


class VerificationOptions(Schema):
    """At most one of `max_far` (highest accepted false-accept rate) and `threshold` (similarity, -1 to 1)."""

    max_far: float | None = Field(default=None, gt=0, le=1)
    threshold: float | None = Field(default=None, ge=-1, le=1)


class Box(Schema):
    """Left, top, width and height in pixels of the upright photo."""

    x: float
    y: float
    width: float
    height: float


class Landmarks(Schema):
    """Pixels x, y of the upright photo; left and right as seen in the picture."""

    left_eye: Point
    right_eye: Point
    nose: Point
    left_mouth: Point
    right_mouth: Point


class AgeEstimate(Schema):
    """Years: the expectation of the estimated distribution and its standard deviation."""

    value: float
    spread: float


class Scores(Schema):
    """The likeliest label and the whole distribution, which sums to 1."""

    label: str
    scores: dict[str, float]


class Attributes(Schema):
    """Estimates; only what was asked for is there."""

    age: AgeEstimate | None = None
    gender: Scores | None = None
    ethnicity: Scores | None = None
    emotion: Scores | None = None


class Face(Schema):
    index: int
    box: Box
    confidence: Probability
    landmarks: Landmarks
    crop_url: str
    attributes: Attributes | None = None


class Photo(Schema):
    """Size of the upright photo in pixels, and where a browser can load it."""

    width: int
    height: int
    url: str


class DetectionResult(Schema):
    image: Photo
    annotated_url: str | None = None
    notice: Literal["no_faces"] | None = None
    faces: list[Face]


class Threshold(Schema):
    """A similarity and the false-accept and false-reject rates measured at it."""

    value: float
    far: Probability
    frr: Probability


class Quality(Schema):
    """Whether a face is good enough to be judged, and the measures that say so."""

    low: bool
    face_size_px: float
    sharpness: float
    reasons: list[Literal["too_small", "too_blurred"]] = []


class Match(Schema):
    """One face of the second photo against the anchor. `match` is None for a face too poor to judge."""

    face: Face
    similarity: float
    probability: Probability
    match: bool | None
    low_quality: bool = False
    quality: Quality | None = None


VerificationNotice = Literal["several_faces_in_anchor", "no_faces", "low_quality_anchor"]


class VerificationResult(Schema):
    """`matches` and `unmatched` together are every face of the second photo, likeliest first."""

    anchor: Photo
    image: Photo
    annotated_url: str | None = None
    anchor_face: Face
    anchor_quality: Quality | None = None
    threshold: Threshold
    thresholds: list[Threshold] = Field(default=[], description="the measured table, for moving the threshold")
    notices: list[VerificationNotice] = []
    matches: list[Match]
    unmatched: list[Match]


class Problem(BaseModel):
    """RFC 9457 problem details; `code` is stable, `detail` a sentence for people."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: str
    instance: str | None = None


class JobError(Schema):
    code: str
    detail: str


class JobView(Schema):
    """A job as the API shows it."""

    id: str
    kind: JobKind
    status: JobStatus
    stage: str | None
    progress: float
    attempts: int
    options: dict[str, Any]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    timings_ms: dict[str, float]
    models: dict[str, str]
    error: JobError | None
    result: DetectionResult | VerificationResult | None


class JobPage(Schema):
    jobs: list[JobView]
    next_cursor: str | None


class ModelView(Schema):
    """A model that answers right now."""

    task: str
    name: str
    version: str
    stage: str
    metrics: dict[str, Any]
    parameters: dict[str, Any]
    trained_on: str
    licence: str
    sha256: str | None
    card: str
    workers: int


class ModelList(Schema):
    models: list[ModelView]


def image_url(job_id: str, name: str) -> str:
    return f"/v1/jobs/{job_id}/images/{name}"


def job_view(job: Job) -> JobView:
    """What users may see of a job: no lease, and the result only once it is whole."""
    return JobView.model_validate(
        {
            "id": job.id,
            "kind": job.kind,
            "status": job.status,
            "stage": job.stage,
            "progress": round(job.progress, 3),
            "attempts": job.attempts,
            "options": dict(job.options),
            "created_at": job.created_at,
            "started_at": job.started_at,
            "finished_at": job.finished_at,
            "timings_ms": dict(job.timings_ms),
            "models": dict(job.models),
            "error": job.error,
            "result": job.result if job.status is JobStatus.SUCCEEDED else None,
        }
    )
