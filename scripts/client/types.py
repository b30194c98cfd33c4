"""What the API answers. Written by `make types` from the OpenAPI document: change it there."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict, final

JobStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]
Until = Literal["change", "end"]


@final
class AgeEstimate(TypedDict):
    """Years: the expectation of the estimated distribution and its standard deviation."""

    # Years: the mean of the estimated distribution
    value: float
    # Years: its standard deviation
    spread: float


@final
class Attributes(TypedDict):
    """Estimates; only what was asked for is there."""

    # How old the face looks
    age: AgeEstimate | None
    # `woman` or `man`, as the face looks
    gender: Scores | None
    # One of six, as the face looks
    ethnicity: Scores | None
    # One of seven, as the face looks
    emotion: Scores | None


@final
class Box(TypedDict):
    """In pixels of the upright photo."""

    # Left edge in pixels of the upright photo
    x: float
    # Top edge in pixels of the upright photo
    y: float
    # Width in pixels
    width: float
    # Height in pixels
    height: float


@final
class DetectionResult(TypedDict):
    """The faces of the photo, largest first."""

    # The photo that was looked at
    image: Photo
    # The photo with its boxes drawn, a JPEG
    annotated_url: str | None
    # `no_faces` where the photo shows none
    notice: Literal["no_faces"] | None
    # Every face found, largest first
    faces: list[Face]


@final
class Face(TypedDict):
    """A face of a photo."""

    # Its number on the photo, from 0; the largest face comes first
    index: int
    # Where the face is
    box: Box
    # How sure the detector is that this is a face, 0 to 1
    confidence: float
    # Five points of the face
    landmarks: Landmarks
    # The face cut out of the photo, with some margin: a JPEG
    crop_url: str
    # Estimates, where they were asked for
    attributes: Attributes | None


@final
class JobError(TypedDict):
    """Why a job failed."""

    # Stable name of the problem
    code: str
    # What happened, in a few words
    title: str
    # A sentence about this case, for people
    detail: str
    # What to do about it
    advice: str
    # Whether only another photo can help
    about_photo: bool


@final
class JobPage(TypedDict):
    """Jobs, newest first."""

    # At most `limit` jobs
    jobs: list[JobView]
    # Give it as `cursor` to have the next page; null on the last
    next_cursor: str | None


@final
class JobView(TypedDict):
    """A job as the API shows it: no lease, and the result only once it is whole."""

    # UUID of version 7: ids sort by time of submission
    id: str
    # What was asked for
    kind: Literal["detection", "verification"]
    # `succeeded`, `failed` and `cancelled` are final
    status: JobStatus
    # The stages that this job runs, in order; `/v1/vocabulary` has their words
    steps: list[str]
    # The stage the job waits for or is in; null once it has ended
    stage: str | None
    # Share of its stages that are done, 0 to 1
    progress: float
    # Which try of the present stage this is, from 1
    attempts: int
    # The options of the submission, defaults included
    options: dict[str, Any]
    # When it was accepted
    created_at: str
    # When a worker first took it
    started_at: str | None
    # When it ended
    finished_at: str | None
    # Milliseconds: `queued` until a worker took it, each stage, and `<stage>_model` inside its model
    timings_ms: dict[str, float]
    # The models that answered, as name@version, by task
    models: dict[str, str]
    # Why it failed; null otherwise
    error: JobError | None
    # The result of its kind, once it has succeeded
    result: DetectionResult | VerificationResult | None


@final
class KindWords(TypedDict):
    """A kind of job."""

    # What people call it
    title: str
    # What it does, in a sentence
    summary: str
    # Where it is submitted
    path: str
    # The file fields of its form
    photos: list[str]
    # Every stage it may run, in order
    stages: list[str]


@final
class Landmarks(TypedDict):
    """Pixels x, y of the upright photo; left and right as seen in the picture."""

    # The eye on the left of the picture: x, y in pixels
    left_eye: tuple[float, float]
    # The eye on the right of the picture: x, y in pixels
    right_eye: tuple[float, float]
    # Tip of the nose: x, y in pixels
    nose: tuple[float, float]
    # Corner of the mouth on the left of the picture: x, y in pixels
    left_mouth: tuple[float, float]
    # Corner of the mouth on the right of the picture: x, y in pixels
    right_mouth: tuple[float, float]


@final
class Liveness(TypedDict):
    # Always `ok`
    status: NotRequired[Literal["ok"]]


@final
class Match(TypedDict):
    """One face of the second photo against the anchor."""

    # The face of the second photo
    face: Face
    # Cosine of the two embeddings, -1 to 1
    similarity: float
    # That both are one person, given the `prior`; never 0 or 1
    probability: float
    # The decision at the threshold; null where nobody can say
    match: bool | None
    # Whether the face is too poor to judge at all
    low_quality: bool
    # What was measured of the face, and why it is too poor
    quality: Quality | None


@final
class ModelList(TypedDict):
    """The models that answer right now."""

    # One entry a version
    models: list[ModelView]


@final
class ModelView(TypedDict):
    """A model that answers right now."""

    # What it does: `detector`, `verifier`, or the attribute it estimates
    task: str
    # Name of the bundle
    name: str
    # Version of the bundle
    version: str
    # The stage whose workers run it
    stage: str
    # Figures from its bundle, with what they were measured on
    metrics: dict[str, Any]
    # The knobs its bundle sets: sizes, thresholds
    parameters: dict[str, Any]
    # The data it learned from
    trained_on: str
    # The terms of its weights
    licence: str
    # Checksum of the graph; null for one that is no bundle of ours
    sha256: str | None
    # The model card, Markdown
    card: str
    # How many live workers run it
    workers: int


@final
class Photo(TypedDict):
    """Size of the upright photo in pixels, and where a browser can load it."""

    # Pixels of the upright photo
    width: int
    # Pixels of the upright photo
    height: int
    # The photo, as a browser can show it
    url: str


@final
class Problem(TypedDict):
    """RFC 9457 problem details. `code`, `advice`, `retryable` and `about_photo` are extension members."""

    # Always `about:blank`: `code` says what the problem is
    type: NotRequired[str]
    # What happened, in a few words
    title: str
    # The HTTP status, once more
    status: int
    # A sentence about this case, for people
    detail: str
    # Stable name of the problem, for programs
    code: str
    # What to do about it
    advice: str
    # Whether the same request can succeed later
    retryable: bool
    # Whether only another photo can help
    about_photo: bool
    # The path that was asked for
    instance: NotRequired[str | None]


@final
class ProblemWords(TypedDict):
    """A problem, by its stable code."""

    # What happened, in a few words
    title: str
    # What to do about it
    advice: str
    # HTTP status, where an answer is refused with it
    status: int
    # Whether the same request can succeed later
    retryable: bool
    # Whether only another photo can help
    about_photo: bool


@final
class Quality(TypedDict):
    """Whether a face is good enough to be judged, and the measures that say so."""

    # Whether the face is too poor to be judged at all; `turned_away` alone is not
    low: bool
    # Shorter side of its box, in pixels of the photo
    face_size_px: float
    # Variance of the Laplacian over that of the grey levels, a hundredfold
    sharpness: float
    # Mean grey level of the aligned face, 0 to 255
    brightness: float | None
    # Standard deviation of its grey levels
    contrast: float | None
    # Nose beside the eyes' middle, in eye distances; 0.6 is 45°
    turn: float | None
    # Share of the aligned face that the photo shows, 0 to 1
    inside: float | None
    # What is too poor; `turned_away` only voids a `no`
    reasons: list[Literal["too_small", "too_dark", "low_contrast", "too_blurred", "cut_off", "turned_away"]]


@final
class Readiness(TypedDict):
    """`checks` says `ok` or what is wrong with store, database and queue; `workers` counts live ones by stage."""

    # `ready` when jobs are accepted
    status: Literal["ready", "unavailable"]
    # `ok`, or what is wrong, of store, database and queue
    checks: dict[str, str]
    # Live workers by stage
    workers: dict[str, int]


@final
class Scores(TypedDict):
    """The likeliest label and the whole distribution, which sums to 1."""

    # The likeliest label
    label: str
    # The probability of every label; they sum to 1
    scores: dict[str, float]


@final
class StageWords(TypedDict):
    """A stage of jobs."""

    # Names the step: `Find faces`
    label: str
    # Says it is under way: `Finding faces`
    doing: str
    # Stands before its time: `finding faces 38 ms`
    noun: str


@final
class Threshold(TypedDict):
    """A similarity and the error rates measured at it. Where there is no `far_any`, `far` is of any two strangers."""

    # Similarity from which a face counts as a match
    value: float
    # Share of strangers who look alike (same gender, ethnicity, age within ten years) accepted at it
    far: float
    # Share of true pairs rejected at it
    frr: float
    # Share of any two strangers accepted at it
    far_any: float | None
    # `far` within the group where it is highest
    far_worst: float | None


@final
class VerificationResult(TypedDict):
    """`matches` and `unmatched` together are every face of the second photo, likeliest first."""

    # The photo of the person who is looked for
    anchor: Photo
    # The photo that was looked through
    image: Photo
    # The second photo with its boxes drawn, a JPEG
    annotated_url: str | None
    # The anchor photo's largest face, which was compared
    anchor_face: Face
    # What was measured of the anchor's face
    anchor_quality: Quality | None
    # Where the decision was made, and the error rates measured there
    threshold: Threshold
    # The measured table, for moving the threshold
    thresholds: list[Threshold]
    # The group of people whose `far_worst` is told
    worst_group: str | None
    # Chance of a false match among the judged faces, if all are strangers as in `far`
    any_false_match: float | None
    # What whoever reads the result should know
    notices: list[Literal["several_faces_in_anchor", "no_faces", "low_quality_anchor"]]
    # Faces at or above the threshold, likeliest first
    matches: list[Match]
    # Faces below it or too poor to judge, likeliest first
    unmatched: list[Match]


@final
class Vocabulary(TypedDict):
    """The words for whatever the API names by a code."""

    # By `kind`
    kinds: dict[str, KindWords]
    # By `stage`
    stages: dict[str, StageWords]
    # What a model does, by `task`
    tasks: dict[str, str]
    # By `code`
    problems: dict[str, ProblemWords]
