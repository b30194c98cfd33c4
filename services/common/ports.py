"""The three things facekit needs from the outside world, as Protocols; no vendor's SDK is imported here.

Adapters translate vendor errors: what does not answer right now is `Unavailable`, a missing object `ObjectMissing`,
no space `StorageFull`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from services.common.jobs import Job, JobStatus


class ObjectStore(Protocol):
    """Bytes under keys such as `jobs/<id>/face-0`. A put is whole or absent, never half."""

    def put(self, key: str, content: bytes, *, durable: bool = True) -> None:
        """A durable put survives a power cut; without, one may lose it (whole), and much is faster: for what can be
        computed again. Raises StorageFull, ValueError for a key no store can hold."""

    def get(self, key: str) -> bytes:
        """Raises ObjectMissing."""

    def stream(self, key: str) -> Iterator[bytes]:
        """Chunks of the object. Raises ObjectMissing before the first one."""

    def exists(self, key: str) -> bool: ...

    def keys(self, prefix: str) -> Iterator[str]:
        """Keys that start with the prefix, sorted."""

    def delete(self, key: str) -> None:
        """Absent is fine."""

    def delete_prefix(self, prefix: str) -> None: ...

    def ping(self) -> None:
        """Raises Unavailable."""


@dataclass(frozen=True, slots=True)
class WorkerRecord:
    """A live worker: what it runs and when it last consumed a message. `models` is ModelView-shaped, by task."""

    name: str
    stage: str
    models: Mapping[str, Mapping[str, Any]]
    beat_at: datetime


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep found: (job id, stage) of the hints to send, and the ids of jobs whose worker was lost."""

    hints: list[tuple[str, str]]
    requeued: list[str]
    quarantined: list[str]


class Changes(Protocol):
    """Tells whether a look at the table may show anything new. For one thread."""

    def any(self) -> bool:
        """Whether another connection may have changed something since the last call. Costs microseconds, and never
        raises."""

    def close(self) -> None: ...


class JobStore(Protocol):
    """The jobs table, the only truth. Every method is one transaction and safe with many callers at once."""

    def insert(self, job: Job, *, max_active: int) -> tuple[Job, bool]:
        """Stores a queued job; (job, True). With an idempotency key already used by this owner for the same
        payload: (the older job, False). Raises IdempotencyConflict for another payload, QueueFull when
        `max_active` unfinished jobs exist."""

    def get(self, job_id: str) -> Job:
        """Raises NoSuchJob, also for a job being deleted."""

    def page(
        self,
        *,
        limit: int,
        before_id: str | None = None,
        kind: str | None = None,
        status: JobStatus | None = None,
        owner: str | None = None,
    ) -> list[Job]:
        """Newest first, ids below `before_id`. `owner` None means everyone's."""

    def claim(self, job_id: str, stage: str, worker: str, lease_s: float) -> Job | None:
        """Leases (job, stage) to the worker and sets it running; None when there is nothing to claim. `worker` names
        who asks: give it to no other thread, or one whose lease ran out could end another one's work."""

    def renew(self, job_id: str, worker: str, lease_s: float) -> bool:
        """False when the lease is no longer this worker's: stop working."""

    def isolate(self, job_id: str, worker: str, lease_s: float) -> bool:
        """Renews, and says that from now on nothing else runs in the worker: if it is lost, this job is charged.
        False when the lease is no longer this worker's."""

    def finish_stage(
        self,
        job_id: str,
        worker: str,
        *,
        next_stage: str | None,
        result: Mapping[str, Any],
        timings_ms: Mapping[str, float],
        models: Mapping[str, str],
    ) -> bool:
        """Replaces the result, adds timings and models, and hands on to `next_stage` (unclaimed) or succeeds.
        False, with nothing written, when the lease is no longer this worker's."""

    def fail(self, job_id: str, worker: str, error: Mapping[str, Any], timings_ms: Mapping[str, float]) -> bool:
        """Ends the job as failed. False when the lease is no longer this worker's."""

    def release(self, job_id: str, worker: str, *, delay_s: float, max_attempts: int, error: Mapping[str, Any]) -> bool:
        """Gives the stage back, attempts + 1, not to be claimed for `delay_s`; fails it with `error` once it has had
        `max_attempts`. False when the lease is no longer this worker's."""

    def cancel(self, job_id: str) -> Job:
        """Raises NoSuchJob, NotCancellable when it has ended. Any lease is void from now on."""

    def mark_deleted(self, job_id: str) -> None:
        """Hides the job, ends it if it was active and voids its lease. Raises NoSuchJob."""

    def deleted(self, *, limit: int) -> list[str]:
        """Jobs marked deleted whose rows still stand."""

    def purge(self, job_id: str) -> None:
        """Removes the row of a job marked deleted."""

    def sweep(self, *, hint_after_s: float, max_alone: int, error: Mapping[str, Any]) -> Swept:
        """Requeues expired leases. A job that ran beside others is charged nothing and has to run alone; one that ran
        alone is charged an attempt, and ends as failed with `error` when that was the `max_alone`-th time.

        Its hints are those unclaimed jobs that were not hinted for `hint_after_s` and whose hint is lost rather than
        late: nothing at their stage is being worked on, or something that became ready later is. Marks them hinted;
        oldest first, a bounded batch."""

    def expired(self, *, finished_before: datetime, limit: int) -> list[str]:
        """Ids of ended jobs older than that, oldest first."""

    def existing(self, job_ids: list[str]) -> set[str]:
        """Those of the ids that have a row, deleted ones included."""

    def versions(self, job_ids: list[str]) -> dict[str, tuple[str, str | None]]:
        """(status, stage) of those of the ids that have a row not being deleted: what long-polls wait on."""

    def ready(self, stage: str, *, limit: int) -> list[str]:
        """Ids of the jobs that may be claimed at the stage, longest waiting first."""

    def changes(self, stage: str | None = None) -> Changes | None:
        """With a stage: only those after which some job waits there. None where the table itself has to be asked. The
        caller closes it."""

    def counts(self) -> dict[tuple[str, str], int]:
        """Unfinished jobs by (status, stage)."""

    def totals(self) -> dict[tuple[str, str], int]:
        """All jobs not being deleted, by (kind, status). Visits every row: for metrics, not for requests."""

    def beat(self, worker: WorkerRecord) -> None:
        """Records that a worker is alive and what it runs."""

    def workers(self, *, seen_since: datetime) -> list[WorkerRecord]: ...

    def ping(self) -> None:
        """Raises Unavailable."""


class JobQueue(Protocol):
    """Hints that a job is waiting at a stage. May lose, repeat and reorder them: the table is the truth."""

    def publish(self, stage: str, job_id: str) -> None:
        """After the job is in the table. An empty id asks a consumer of the stage, this process's own where it is one,
        whether it still takes hints. Raises Unavailable."""

    def consume(self, stage: str, handle: Callable[[str], None], *, concurrency: int) -> None:
        """Calls `handle(job_id)` for each hint on `concurrency` threads, until SIGTERM or SIGINT; then finishes what
        it holds. `handle` must not raise. Raises Unavailable when it cannot go on."""

    def ping(self) -> None:
        """Raises Unavailable."""
