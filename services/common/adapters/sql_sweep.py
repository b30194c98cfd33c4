"""The sweep of the jobs table: expired leases back to the queue, and the hints that have to be sent again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa

from services.common.adapters.sql_database import Database
from services.common.adapters.sql_tables import VOID_LEASE, jobs, unfinished, workers
from services.common.jobs import JobStatus, now
from services.common.ports import Swept

_BATCH: Final = 500
# A job that has waited for so many times `hint_after_s` is hinted only so often, whatever its queue looks like: not at
# all would leave it to luck, as often as a young one would bury a stage whose workers are away in hints.
_PATIENCE: Final = 12
_WORKERS_KEPT: Final = timedelta(days=1)
_leased: Final = jobs.alias("leased")


def sweep(database: Database, *, hint_after_s: float, max_alone: int, error: Mapping[str, Any]) -> Swept:
    """See JobStore.sweep. Several at once share the work: rows another sweep holds are left to it."""
    again = {"status": JobStatus.QUEUED, "ready_at": database.after()}
    suspected = again | {"suspicion": sa.case((jobs.c.suspicion == 0, 1), else_=jobs.c.suspicion)}
    charged = again | {"suspicion": jobs.c.suspicion + 1, "attempts": jobs.c.attempts + 1}
    ended = {"status": JobStatus.FAILED, "stage": None, "finished_at": database.after(), "error": dict(error)}
    alone = jobs.c.lease_alone
    with database.writing() as connection:
        beside = _take_back(connection, database, suspected, sa.not_(alone))
        first = _take_back(connection, database, charged, alone, jobs.c.suspicion < max_alone)
        last = _take_back(connection, database, ended, alone, jobs.c.suspicion >= max_alone)
        connection.execute(sa.delete(workers).where(workers.c.beat_at < now() - _WORKERS_KEPT))
        return Swept(_hint_again(connection, database, hint_after_s), [*beside, *first], last)


def _take_back(
    connection: sa.Connection, database: Database, values: Mapping[str, Any], *conditions: sa.ColumnElement[bool]
) -> list[str]:
    """Expired leases for which the conditions hold; returns the ids of their jobs."""
    expired = (unfinished, jobs.c.lease_until <= database.after(), *conditions)
    batch = _batch(*expired, order=jobs.c.lease_until)
    take = sa.update(jobs).where(jobs.c.id.in_(batch), *expired).values({**values, **VOID_LEASE, "hinted_at": None})
    return list(connection.scalars(take.returning(jobs.c.id)))


def _hint_again(connection: sa.Connection, database: Database, hint_after_s: float) -> list[tuple[str, str]]:
    """A message is taken for lost when nothing is being worked on at its stage, or when a job that became ready later
    already is. In a long queue that moves, messages are only late, and repeating them would make it longer."""
    front = (
        sa.select(sa.func.max(_leased.c.ready_at))
        .where(_leased.c.finished_at.is_(None), _leased.c.stage == jobs.c.stage, _leased.c.lease_owner.is_not(None))
        .scalar_subquery()
    )
    overtaken = sa.func.coalesce(jobs.c.ready_at < front, sa.true())
    waiting = (unfinished, jobs.c.lease_owner.is_(None), jobs.c.ready_at <= database.after())
    long_ago = database.after(-hint_after_s * _PATIENCE)
    unheard = sa.or_(
        jobs.c.hinted_at.is_(None),
        sa.and_(jobs.c.hinted_at <= database.after(-hint_after_s), jobs.c.ready_at > long_ago, overtaken),
        jobs.c.hinted_at <= long_ago,
    )
    hint = (
        sa.update(jobs)
        .where(jobs.c.id.in_(_batch(*waiting, unheard, order=jobs.c.ready_at)), *waiting)
        .values(hinted_at=database.after())
        .returning(jobs.c.ready_at, jobs.c.id, jobs.c.stage)
    )
    due = sorted(connection.execute(hint), key=lambda row: (row.ready_at, row.id))
    return [(row.id, row.stage) for row in due]


def _batch(*conditions: sa.ColumnElement[bool], order: sa.Column[Any]) -> sa.Select[tuple[str]]:
    rows = sa.select(jobs.c.id).where(*conditions).order_by(order).limit(_BATCH).with_for_update(skip_locked=True)
    # As a CTE it runs once; PostgreSQL may run a plain subquery again and again, and then LIMIT limits nothing.
    return sa.select(rows.cte("batch").c.id)
