"""A job as the API shows it."""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from services.common.errors import error_named
from services.common.flows.registry import KINDS, flow_of, kind_named, progress_of
from services.common.jobs import Job, JobStatus
from services.common.schemas import Schema

AnyResult: Final[Any] = functools.reduce(operator.or_, (kind.result for kind in KINDS.values()))
KindName = Annotated[str, Field(json_schema_extra={"enum": list(KINDS)})]


def _known(name: str) -> str:
    kind_named(name)
    return name


KnownKind = Annotated[KindName, AfterValidator(_known)]


class JobError(Schema):
    """Why a job failed."""

    code: str = Field(description="Stable name of the problem")
    title: str = Field(description="What happened, in a few words")
    detail: str = Field(description="A sentence about this case, for people")
    advice: str = Field(description="What to do about it")
    about_photo: bool = Field(description="Whether only another photo can help")


class JobView(Schema):
    """A job as the API shows it: no lease, and the result only once it is whole."""

    id: str = Field(description="UUID of version 7: ids sort by time of submission")
    kind: KindName = Field(description="What was asked for")
    status: JobStatus = Field(description="`succeeded`, `failed` and `cancelled` are final")
    steps: list[str] = Field(description="The stages that this job runs, in order; `/v1/vocabulary` has their words")
    stage: str | None = Field(description="The stage the job waits for or is in; null once it has ended")
    progress: float = Field(description="Share of its stages that are done, 0 to 1")
    attempts: int = Field(description="Which try of the present stage this is, from 1")
    options: dict[str, Any] = Field(description="The options of the submission, defaults included")
    created_at: datetime = Field(description="When it was accepted")
    started_at: datetime | None = Field(description="When a worker first took it")
    finished_at: datetime | None = Field(description="When it ended")
    timings_ms: dict[str, float] = Field(
        description="Milliseconds: `queued` until a worker took it, each stage, and `<stage>_model` inside its model"
    )
    models: dict[str, str] = Field(description="The models that answered, as name@version, by task")
    error: JobError | None = Field(description="Why it failed; null otherwise")
    result: AnyResult | None = Field(description="The result of its kind, once it has succeeded")


class JobPage(Schema):
    """Jobs, newest first."""

    jobs: list[JobView] = Field(description="At most `limit` jobs")
    next_cursor: str | None = Field(description="Give it as `cursor` to have the next page; null on the last")


def job_view(job: Job) -> JobView:
    """What users may see of a job. One whose kind this version does not know is shown without its result."""
    kind = KINDS.get(job.kind)
    whole = job.status is JobStatus.SUCCEEDED and kind is not None and job.result is not None
    return JobView.model_validate(
        {
            "id": job.id,
            "kind": job.kind,
            "status": job.status,
            "steps": list(flow_of(job)) if kind is not None else [],
            "stage": job.stage,
            "progress": round(progress_of(job), 3),
            "attempts": job.attempts,
            "options": dict(job.options),
            "created_at": job.created_at,
            "started_at": job.started_at,
            "finished_at": job.finished_at,
            "timings_ms": dict(job.timings_ms),
            "models": dict(job.models),
            "error": None if job.error is None else _error(job.error),
            "result": kind.result.model_validate(dict(job.result or {})) if kind is not None and whole else None,
        }
    )


def _error(stored: Mapping[str, Any]) -> JobError:
    """What the row keeps of an error, with the words this version has for it."""
    known = error_named(stored["code"])
    return JobError(
        code=stored["code"],
        title=known.title,
        detail=stored["detail"],
        advice=known.advice,
        about_photo=known.about_photo,
    )
