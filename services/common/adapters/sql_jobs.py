"""SqlJobStore: the jobs table on PostgreSQL or SQLite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from services.common.adapters.sql_job_queries import JOB_COLUMNS, WHOLE_JOBS, SqlJobQueries, get_job, to_job
from services.common.adapters.sql_sweep import sweep
from services.common.adapters.sql_tables import VOID_LEASE, deleted, jobs, merged, unfinished, workers
from services.common.errors import IdempotencyConflict, NoSuchJob, NotCancellable, QueueFull
from services.common.jobs import Job, JobStatus
from services.common.ports import Swept, WorkerRecord

# Any constant: serialises submissions, so that `max_active` and idempotency keys hold exactly.
_INSERT_LOCK: Final = 0x666B_0001
_UNFINISHED: Final = sa.update(jobs).where(unfinished)
_UNLEASED: Final = _UNFINISHED.where(jobs.c.lease_owner.is_(None)).returning(*JOB_COLUMNS)


class SqlJobStore(SqlJobQueries):
    """A JobStore. Every move of a job is one UPDATE whose WHERE holds the state it leaves, so whoever comes second
    changes nothing; `services.gateway.migrate` makes the tables."""

    def insert(self, job: Job, *, max_active: int) -> tuple[Job, bool]:
        with self._database.writing(durable=True) as connection:
            if self._database.kind == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_INSERT_LOCK)))
            if job.idempotency_key is not None and (older := _same_key(connection, job)) is not None:
                return older, False
            active = sa.select(jobs.c.id).where(unfinished).limit(max_active).subquery()
            if connection.scalar(sa.select(sa.func.count()).select_from(active)) == max_active:
                raise QueueFull(f"{max_active} jobs are waiting or running", retry_after_s=5)
            values: dict[str, Any] = {column.name: getattr(job, column.name) for column in JOB_COLUMNS}
            now = self._database.after()
            connection.execute(sa.insert(jobs).values(ready_at=now, hinted_at=now), values)
        return job, True

    def claim(self, job_id: str, stage: str, worker: str, lease_s: float) -> Job | None:
        now = self._database.after()
        claim = (
            _UNLEASED.where(jobs.c.id == job_id, jobs.c.stage == stage, jobs.c.ready_at <= now)
            .values(status=JobStatus.RUNNING, started_at=sa.func.coalesce(jobs.c.started_at, now))
            .values(lease_owner=worker, lease_until=self._database.after(lease_s))
        )
        with self._database.writing() as connection:
            row = connection.execute(claim).one_or_none()
        return None if row is None else to_job(row)

    def renew(self, job_id: str, worker: str, lease_s: float) -> bool:
        return self._update_leased(job_id, worker, {"lease_until": self._database.after(lease_s)})

    def isolate(self, job_id: str, worker: str, lease_s: float) -> bool:
        values = {"lease_until": self._database.after(lease_s), "lease_alone": True}
        return self._update_leased(job_id, worker, values)

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
        now = self._database.after()
        done: dict[str, Any] = {
            "result": dict(result),
            "timings_ms": _with(jobs.c.timings_ms, timings_ms),
            "models": _with(jobs.c.models, models),
        }
        if next_stage is None:
            done |= self._ended(JobStatus.SUCCEEDED)
        else:
            done |= {"stage": next_stage, "suspicion": 0, "ready_at": now, "hinted_at": now, **VOID_LEASE}
        return self._update_leased(job_id, worker, done)

    def fail(self, job_id: str, worker: str, error: Mapping[str, Any], timings_ms: Mapping[str, float]) -> bool:
        values = self._ended(JobStatus.FAILED) | {"error": dict(error)}
        return self._update_leased(job_id, worker, values | {"timings_ms": _with(jobs.c.timings_ms, timings_ms)})

    def release(self, job_id: str, worker: str, *, delay_s: float, max_attempts: int, error: Mapping[str, Any]) -> bool:
        # Nobody publishes a released job: the sweeper does, once the delay is over.
        again = {
            "status": JobStatus.QUEUED,
            "attempts": jobs.c.attempts + 1,
            "ready_at": self._database.after(delay_s),
            "hinted_at": None,
            **VOID_LEASE,
        }
        ended = self._ended(JobStatus.FAILED) | {"error": dict(error)}
        with self._database.writing() as connection:
            for condition, values in (
                (jobs.c.attempts < max_attempts, again),
                (jobs.c.attempts >= max_attempts, ended),
            ):
                if connection.execute(_leased(job_id, worker).where(condition).values(values)).rowcount:
                    return True
        return False

    def cancel(self, job_id: str) -> Job:
        cancel = sa.update(jobs).where(jobs.c.id == job_id, unfinished).values(self._ended(JobStatus.CANCELLED))
        with self._database.writing(durable=True) as connection:
            row = connection.execute(cancel.returning(*JOB_COLUMNS)).one_or_none()
            if row is not None:
                return to_job(row)
            ended = get_job(connection, job_id)
        raise NotCancellable(f"the job has already {ended.status}")

    def mark_deleted(self, job_id: str) -> None:
        here = sa.update(jobs).where(jobs.c.id == job_id, jobs.c.deleted_at.is_(None))
        # The key is free again: the same photo sent once more is a new job.
        hide: dict[str, Any] = {"deleted_at": self._database.after(), "idempotency_key": None}
        with self._database.writing(durable=True) as connection:
            connection.execute(here.where(unfinished).values(self._ended(JobStatus.CANCELLED)))
            if not connection.execute(here.values(hide)).rowcount:
                raise NoSuchJob(f"no job {job_id}")

    def purge(self, job_id: str) -> None:
        with self._database.writing() as connection:
            connection.execute(sa.delete(jobs).where(jobs.c.id == job_id, deleted))

    def sweep(self, *, hint_after_s: float, max_alone: int, error: Mapping[str, Any]) -> Swept:
        return sweep(self._database, hint_after_s=hint_after_s, max_alone=max_alone, error=error)

    def beat(self, worker: WorkerRecord) -> None:
        insert = postgresql_insert if self._database.kind == "postgresql" else sqlite_insert
        values = {"stage": worker.stage, "models": dict(worker.models), "beat_at": worker.beat_at}
        upsert = insert(workers).values(name=worker.name, **values)
        with self._database.writing() as connection:
            connection.execute(upsert.on_conflict_do_update(index_elements=["name"], set_=values))

    def _ended(self, status: JobStatus) -> dict[str, Any]:
        return {"status": status, "stage": None, "finished_at": self._database.after(), **VOID_LEASE}

    def _update_leased(self, job_id: str, worker: str, values: Mapping[str, Any]) -> bool:
        with self._database.writing() as connection:
            return connection.execute(_leased(job_id, worker).values(values)).rowcount == 1


def _leased(job_id: str, worker: str) -> sa.Update:
    return _UNFINISHED.where(jobs.c.id == job_id, jobs.c.lease_owner == worker)


def _with(column: sa.Column[Any], members: Mapping[str, Any]) -> merged:
    return merged(column, sa.bindparam(None, dict(members), column.type))


def _same_key(connection: sa.Connection, job: Job) -> Job | None:
    """The job this owner submitted under the same key. Raises IdempotencyConflict when it had another payload."""
    query = WHOLE_JOBS.where(jobs.c.owner == job.owner, jobs.c.idempotency_key == job.idempotency_key)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if row.payload_sha256 != job.payload_sha256:
        raise IdempotencyConflict(f"key {job.idempotency_key!r} was used for another request")
    return to_job(row)
