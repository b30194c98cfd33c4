"""SqlJobQueries: what is asked of the jobs table, for people, metrics and cleaning up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from services.common.adapters.sql_database import Database
from services.common.adapters.sql_tables import deleted, jobs, unfinished, workers
from services.common.errors import NoSuchJob
from services.common.jobs import TERMINAL, Job, JobStatus
from services.common.ports import Changes, WorkerRecord

JOB_COLUMNS: Final = [jobs.c[field.name] for field in fields(Job)]
_IDS_A_QUERY: Final = 500
# What many statements begin with: made once, as making it costs SQLAlchemy more than running it.
WHOLE_JOBS: Final = sa.select(*JOB_COLUMNS)
_SHOWN: Final = WHOLE_JOBS.where(jobs.c.deleted_at.is_(None))
_READY: Final = sa.select(jobs.c.id).where(unfinished, jobs.c.lease_owner.is_(None)).order_by(jobs.c.ready_at)
_VERSIONS: Final = sa.select(jobs.c.id, jobs.c.status, jobs.c.stage).where(jobs.c.deleted_at.is_(None))


class SqlJobQueries:
    """The reading half of a JobStore. Every query follows an index, so none slows down as jobs pile up."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, job_id: str) -> Job:
        with self._database.reading() as connection:
            return get_job(connection, job_id)

    def page(
        self,
        *,
        limit: int,
        before_id: str | None = None,
        kind: str | None = None,
        status: JobStatus | None = None,
        owner: str | None = None,
    ) -> list[Job]:
        query = _SHOWN.order_by(jobs.c.id.desc()).limit(limit)
        if before_id is not None:
            query = query.where(jobs.c.id < before_id)
        for column, wanted in ((jobs.c.kind, kind), (jobs.c.owner, owner)):
            if wanted is not None:
                query = query.where(column == wanted)
        if status is not None:
            query = query.where(jobs.c.outcome == status if status in TERMINAL else _unfinished_as(status))
        with self._database.reading() as connection:
            return [to_job(row) for row in connection.execute(query)]

    def versions(self, job_ids: list[str]) -> dict[str, tuple[str, str | None]]:
        found: dict[str, tuple[str, str | None]] = {}
        with self._database.reading() as connection:
            for some in _batches(job_ids):
                rows = connection.execute(_VERSIONS.where(jobs.c.id.in_(some)))
                found |= {job_id: (status, stage) for job_id, status, stage in rows}
        return found

    def ready(self, stage: str, *, limit: int) -> list[str]:
        query = _READY.where(jobs.c.stage == stage, jobs.c.ready_at <= self._database.after()).limit(limit)
        with self._database.reading() as connection:
            return list(connection.scalars(query))

    def changes(self, stage: str | None = None) -> Changes | None:
        return self._database.changes(stage)

    def counts(self) -> dict[tuple[str, str], int]:
        # Grouped here: asked to group, SQLite follows another index, through every job there ever was.
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(jobs.c.status, jobs.c.stage).where(unfinished))
            return Counter((status, stage) for status, stage in rows)

    def totals(self) -> dict[tuple[str, str], int]:
        # All less the deleted: both are counted from an index, where looking for the others would read every row.
        ended = sa.select(jobs.c.kind, jobs.c.outcome).where(jobs.c.outcome.is_not(None))
        active = sa.select(jobs.c.kind, jobs.c.status).where(unfinished)
        with self._database.reading() as connection:
            rows = connection.execute(ended.add_columns(sa.func.count()).group_by(jobs.c.kind, jobs.c.outcome))
            found = Counter({(kind, outcome): count for kind, outcome, count in rows})
            found.subtract((kind, outcome) for kind, outcome in connection.execute(ended.where(deleted)))
            found.update((kind, status) for kind, status in connection.execute(active))
        return +found

    def deleted(self, *, limit: int) -> list[str]:
        query = sa.select(jobs.c.id).where(deleted).order_by(jobs.c.deleted_at).limit(limit)
        with self._database.reading() as connection:
            return list(connection.scalars(query))

    def expired(self, *, finished_before: datetime, limit: int) -> list[str]:
        query = (
            sa.select(jobs.c.id)
            .where(jobs.c.finished_at < finished_before, jobs.c.deleted_at.is_(None))
            .order_by(jobs.c.finished_at)
            .limit(limit)
        )
        with self._database.reading() as connection:
            return list(connection.scalars(query))

    def existing(self, job_ids: list[str]) -> set[str]:
        found: set[str] = set()
        with self._database.reading() as connection:
            for some in _batches(job_ids):
                found.update(connection.scalars(sa.select(jobs.c.id).where(jobs.c.id.in_(some))))
        return found

    def workers(self, *, seen_since: datetime) -> list[WorkerRecord]:
        query = sa.select(workers).where(workers.c.beat_at >= seen_since).order_by(workers.c.name)
        with self._database.reading() as connection:
            return [WorkerRecord(**row) for row in connection.execute(query).mappings()]

    def ping(self) -> None:
        with self._database.reading() as connection:
            connection.execute(sa.select(jobs.c.id).limit(1))

    def close(self) -> None:
        self._database.close()


def get_job(connection: sa.Connection, job_id: str) -> Job:
    row = connection.execute(_SHOWN.where(jobs.c.id == job_id)).one_or_none()
    if row is None:
        raise NoSuchJob(f"no job {job_id}")
    return to_job(row)


def to_job(row: sa.Row[Any]) -> Job:
    """The row as a Job; how long it waited for its first claim follows from two of its times and is added here."""
    values = dict(row._mapping)
    values["status"] = JobStatus(values["status"])
    if values["started_at"] is not None:
        waited = (values["started_at"] - values["created_at"]) / timedelta(milliseconds=1)
        values["timings_ms"] = {"queued": round(max(waited, 0.0), 1), **values["timings_ms"]}
    return Job(**values)


def _unfinished_as(status: JobStatus) -> sa.ColumnElement[bool]:
    """Few jobs are unfinished at any time: their one place in each index of outcomes is read through."""
    return sa.and_(jobs.c.outcome.is_(None), jobs.c.status == status)


def _batches(job_ids: list[str]) -> Iterator[list[str]]:
    """So many ids at a time as every database takes in one statement."""
    for start in range(0, len(job_ids), _IDS_A_QUERY):
        yield job_ids[start : start + _IDS_A_QUERY]
