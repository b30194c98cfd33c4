"""Job, its states and the legal moves between them. Which stages a kind of job runs is in `flows` and `kinds`."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from services.common.errors import InvalidJobId


class JobStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


TERMINAL = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED})
ACTIVE = frozenset({JobStatus.QUEUED, JobStatus.RUNNING})

# A lost lease takes a running job back to queued; a terminal state is left by deletion alone.
LEGAL_MOVES: Mapping[JobStatus, frozenset[JobStatus]] = {
    JobStatus.QUEUED: frozenset({JobStatus.RUNNING, JobStatus.FAILED, JobStatus.CANCELLED}),
    JobStatus.RUNNING: frozenset({JobStatus.QUEUED, JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED}),
    JobStatus.SUCCEEDED: frozenset(),
    JobStatus.FAILED: frozenset(),
    JobStatus.CANCELLED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Job:
    """A row of the jobs table. Times are aware UTC datetimes, timings milliseconds.

    `attempts` counts from 1; `kind` is a name of the registry; `stage` is the stage to run or running and None once
    the job has ended; `result` holds the stages' outputs until the last one has made the result of them. `suspicion` is
    0, or 1 when a worker was lost that had this job beside others at this stage, or 1 and how often one was lost that
    ran nothing beside it. From 1 on a worker runs the job alone.
    """

    id: str
    kind: str
    status: JobStatus
    stage: str | None
    options: Mapping[str, Any]
    created_at: datetime
    owner: str = ""
    attempts: int = 1
    suspicion: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    result: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    lease_owner: str | None = None
    lease_until: datetime | None = None
    idempotency_key: str | None = None
    payload_sha256: str | None = None


def now() -> datetime:
    return datetime.now(UTC)


def new_job_id() -> str:
    """A UUID of version 7 (RFC 9562): sorting by id is sorting by time of creation, to a quarter of a microsecond.

    The twelve bits after the milliseconds are the fraction of the present one (its section 6.2, method 3): a faster
    machine accepts several jobs within a millisecond.
    """
    milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76
    value |= (nanoseconds << 12) // 1_000_000 << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))


def check_job_id(text: str) -> str:
    """The id in canonical form. Raises InvalidJobId for anything but a UUID."""
    try:
        parsed = uuid.UUID(text)
    except ValueError:
        raise InvalidJobId(f"{text[:80]!r} is not a job id") from None
    if str(parsed) != text.lower():
        raise InvalidJobId(f"{text[:80]!r} is not a job id")
    return str(parsed)


# The name of the aligned faces that a stage leaves for the next one among a job's objects.
CHIPS = "chips"


def object_prefix(job_id: str) -> str:
    """Where a job's photos and crops live in the object store."""
    return f"jobs/{job_id}/"


def object_key(job_id: str, name: str) -> str:
    return object_prefix(job_id) + name
