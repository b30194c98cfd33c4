"""The statements every job runs through, made once a database: making one costs SQLAlchemy as much as running it."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from services.common.adapters.sql_database import Database
from services.common.adapters.sql_job_queries import JOB_COLUMNS
from services.common.adapters.sql_tables import VOID_LEASE, jobs, merged, unfinished
from services.common.jobs import JobStatus

# Parameters have names that no column has: those are SQLAlchemy's own.
ACTIVE: Final = sa.select(sa.func.count()).select_from(
    sa.select(jobs.c.id).where(unfinished).limit(sa.bindparam("max_active", type_=sa.Integer)).subquery()
)
_LEASED: Final = sa.update(jobs).where(
    jobs.c.id == sa.bindparam("job_id"), jobs.c.lease_owner == sa.bindparam("worker"), unfinished
)


class JobStatements:
    """Times are parameters too: `now` and `lease`, see Database.at."""

    def __init__(self, database: Database) -> None:
        now, lease = database.at("now"), database.at("lease")
        # The other columns are the parameters of their names.
        self.insert = sa.insert(jobs).values(ready_at=now, hinted_at=now)
        self.claim = (
            sa.update(jobs)
            .where(jobs.c.id == sa.bindparam("job_id"), jobs.c.stage == sa.bindparam("at_stage"), unfinished)
            .where(jobs.c.lease_owner.is_(None), jobs.c.ready_at <= now)
            .values(status=JobStatus.RUNNING, started_at=sa.func.coalesce(jobs.c.started_at, now))
            .values(lease_owner=sa.bindparam("worker"), lease_until=lease)
            .returning(*JOB_COLUMNS)
        )
        self.renew = _LEASED.values(lease_until=lease)
        finished: dict[str, Any] = {
            "result": sa.bindparam("made", type_=jobs.c.result.type),
            "timings_ms": merged(jobs.c.timings_ms, sa.bindparam("took", type_=jobs.c.timings_ms.type)),
            "models": merged(jobs.c.models, sa.bindparam("used", type_=jobs.c.models.type)),
            "stage": sa.bindparam("then"),
            "suspicion": 0,
            **VOID_LEASE,
        }
        self.hand_on = _LEASED.values(**finished, ready_at=now, hinted_at=now)
        self.succeed = _LEASED.values(**finished, status=JobStatus.SUCCEEDED, finished_at=now)
