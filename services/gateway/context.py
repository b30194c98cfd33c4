"""Gateway: what the routes share, made once when the application starts, and how a route gets at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path
from starlette.requests import Request

from services.common.errors import NoSuchJob
from services.common.jobs import Job, check_job_id
from services.common.ports import JobQueue, JobStore, ObjectStore
from services.common.settings import Settings
from services.gateway.acceptance import Acceptance
from services.gateway.access import ApiKeys, Caller, Role
from services.gateway.metrics import GatewayMetrics
from services.gateway.rate_limit import RateLimiter
from services.gateway.watcher import JobWatcher


@dataclass(frozen=True, slots=True)
class Gateway:
    settings: Settings
    store: ObjectStore
    jobs: JobStore
    queue: JobQueue
    keys: ApiKeys
    limiter: RateLimiter
    metrics: GatewayMetrics
    acceptance: Acceptance
    watcher: JobWatcher

    def job_of(self, caller: Caller, job_id: str) -> Job:
        """The caller's job. Blocks. Raises InvalidJobId, and NoSuchJob also for another owner's job."""
        job = self.jobs.get(check_job_id(job_id))
        if not caller.everyone and job.owner != caller.owner:
            raise NoSuchJob(f"no job {job.id}")
        return job


async def gateway_of(request: Request) -> Gateway:
    gateway: Gateway = request.app.state.gateway
    return gateway


async def reader(request: Request) -> Caller:
    """Who asks, with at least role read. Raises Unauthorized."""
    return (await gateway_of(request)).keys.caller(request.headers, Role.READ)


async def submitter(request: Request) -> Caller:
    """Who asks, with role submit. Raises Unauthorized, Forbidden."""
    return (await gateway_of(request)).keys.caller(request.headers, Role.SUBMIT)


JobId = Annotated[str, Path(description="The `id` of a job", json_schema_extra={"format": "uuid"})]
TheGateway = Annotated[Gateway, Depends(gateway_of)]
Reader = Annotated[Caller, Depends(reader)]
Submitter = Annotated[Caller, Depends(submitter)]
