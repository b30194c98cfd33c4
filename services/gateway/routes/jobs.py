"""/v1/jobs: look, wait, list, cancel, delete."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from services.common.errors import (
    FacekitError,
    Forbidden,
    InvalidCursor,
    InvalidJobId,
    InvalidValue,
    NoSuchJob,
    NotCancellable,
    Unauthorized,
    Unavailable,
    UnexpectedField,
)
from services.common.flows.views import JobPage, JobView, KnownKind, job_view
from services.common.jobs import CHIPS, TERMINAL, Job, JobStatus, check_job_id, now, object_key, object_prefix
from services.gateway.context import Gateway, JobId, Reader, Submitter, TheGateway
from services.gateway.examples import JOB, PAGE
from services.gateway.problems import declared
from services.gateway.watcher import Until

log = logging.getLogger(__name__)

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

_LOOK = declared(NoSuchJob, InvalidJobId, InvalidValue, UnexpectedField, Unauthorized, Unavailable)
_CHANGE = declared(NoSuchJob, InvalidJobId, UnexpectedField, Unauthorized, Forbidden, Unavailable)

Wait = Annotated[
    float,
    Query(ge=0, description="Seconds to hold the answer until the job's status or stage changes; cut to the maximum"),
]
ForWhat = Annotated[
    Until, Query(description="What `wait` waits for: any `change` of status or stage, or the `end` of the job")
]


@router.get("/{job_id}", response_model=JobView, responses=_LOOK | JOB, operation_id="get_job")
async def get_job(
    request: Request, gateway: TheGateway, caller: Reader, job_id: JobId, wait: Wait = 0, until: ForWhat = Until.CHANGE
) -> Response:
    """The job as it is, or with `wait` as soon as it is something else, or has ended."""
    job = await run_in_threadpool(gateway.job_of, caller, job_id)
    if wait > 0 and job.status not in TERMINAL:
        timeout_s = min(wait, gateway.settings.max_wait_s)
        with gateway.metrics.waiting.track_inprogress():
            job = await _changed(request, gateway, job, until, timeout_s) or job
    return _json(job_view(job))


async def _changed(request: Request, gateway: Gateway, job: Job, until: Until, timeout_s: float) -> Job | None:
    """The job after the change that is waited for, but not on for a client that has hung up. Raises NoSuchJob."""
    seen, age_s = (job.status.value, job.stage), max((now() - job.created_at).total_seconds(), 0.0)
    change = asyncio.ensure_future(gateway.watcher.changed(job.id, seen, timeout_s, age_s=age_s, until=until))
    hang_up = asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait((change, hang_up), return_when=asyncio.FIRST_COMPLETED)
        return change.result() if change.done() else None
    finally:
        for task in (change, hang_up):
            task.cancel()
            with suppress(asyncio.CancelledError, NoSuchJob):
                await task


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


@router.get(
    "",
    response_model=JobPage,
    responses=declared(InvalidCursor, InvalidValue, UnexpectedField, Unauthorized, Unavailable) | PAGE,
    operation_id="list_jobs",
)
def list_jobs(
    gateway: TheGateway,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=100, description="How many at most")] = 20,
    cursor: Annotated[
        str | None, Query(description="`next_cursor` of the page before", json_schema_extra={"format": "uuid"})
    ] = None,
    kind: Annotated[KnownKind | None, Query(description="Only jobs of this kind")] = None,
    status: Annotated[JobStatus | None, Query(description="Only jobs in this state")] = None,
) -> Response:
    """Newest first. Pages stay in place while new jobs come in."""
    jobs = gateway.jobs.page(
        limit=limit + 1,
        before_id=None if cursor is None else _position(cursor),
        kind=kind,
        status=status,
        owner=None if caller.everyone else caller.owner,
    )
    more = len(jobs) > limit
    shown = jobs[:limit]
    return _json(JobPage(jobs=[job_view(job) for job in shown], next_cursor=shown[-1].id if more else None))


def _position(cursor: str) -> str:
    try:
        return check_job_id(cursor)
    except InvalidJobId:
        raise InvalidCursor(f"{cursor[:80]!r} is not the next_cursor of a page") from None


@router.post(
    "/{job_id}/cancel",
    response_model=JobView,
    responses=_CHANGE | declared(NotCancellable) | {200: {"description": "The cancelled job"}},
    operation_id="cancel_job",
)
def cancel_job(gateway: TheGateway, caller: Submitter, job_id: JobId) -> Response:
    """Ends a job that has not ended; what a worker is doing for it is thrown away."""
    job = gateway.jobs.cancel(gateway.job_of(caller, job_id).id)
    try:
        gateway.store.delete(object_key(job.id, CHIPS))  # a worker that has the job removes what it makes itself
    except FacekitError as error:
        log.warning("chips not removed: %s", error.detail, extra={"job_id": job.id})
    return _json(job_view(job))


@router.delete(
    "/{job_id}",
    status_code=204,
    response_class=Response,
    responses=_CHANGE | {204: {"description": "Gone, with its photos and crops"}},
    operation_id="delete_job",
)
def delete_job(gateway: TheGateway, caller: Submitter, job_id: JobId) -> Response:
    """Removes the job, its photos and its crops, in whatever state it is."""
    job = gateway.job_of(caller, job_id)
    gateway.jobs.mark_deleted(job.id)
    try:
        gateway.store.delete_prefix(object_prefix(job.id))
        if job.status in (JobStatus.SUCCEEDED, JobStatus.FAILED):
            gateway.jobs.purge(job.id)
        # Otherwise a worker may still be writing crops: the sweeper deletes once more, then purges.
    except FacekitError as error:
        log.warning("deletion left to the sweeper: %s", error.detail, extra={"job_id": job.id})
    return Response(status_code=204)


def _json(view: JobView | JobPage) -> Response:
    return Response(view.model_dump_json(), media_type="application/json", headers={"Cache-Control": "no-store"})
