"""The two tables, as PostgreSQL and SQLite both hold them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """Aware UTC datetimes, also where the database has no time zones."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without its zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class merged(FunctionElement[Any]):  # noqa: N801, as SQLAlchemy names its functions
    """A JSON object with the members of a second one put over its own."""

    inherit_cache = True
    type = sa.JSON()


@compiles(merged, "postgresql")
def _merged_postgresql(element: merged, compiler: SQLCompiler, **options: Any) -> str:
    return " || ".join(compiler.process(clause, **options) for clause in element.clauses)


@compiles(merged, "sqlite")
def _merged_sqlite(element: merged, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_patch({compiler.process(element.clauses, **options)})"


# Sorted byte by byte on both, whatever the locale; UUIDv7, so that the order of ids is the order of submission.
JobId = sa.String(36).with_variant(sa.String(36, collation="C"), "postgresql")
Json = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

OUTCOME = "CASE WHEN finished_at IS NOT NULL THEN status END"

metadata = sa.MetaData()

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", JobId, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("stage", sa.String),
    sa.Column("owner", sa.String, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("options", Json, nullable=False),
    sa.Column("result", Json),
    sa.Column("error", Json),
    sa.Column("timings_ms", Json, nullable=False),
    sa.Column("models", Json, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("started_at", UtcDateTime),
    sa.Column("finished_at", UtcDateTime),
    sa.Column("deleted_at", UtcDateTime),
    # When the current stage may be claimed: the job's place in the queue, or later after a failed attempt.
    sa.Column("ready_at", UtcDateTime, nullable=False),
    # When the current stage was last published; empty when it has to be.
    sa.Column("hinted_at", UtcDateTime),
    sa.Column("lease_owner", sa.String),
    sa.Column("lease_until", UtcDateTime),
    # Whether the worker that holds the lease runs nothing beside this job: then a lost lease is this job's own doing.
    sa.Column("lease_alone", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("suspicion", sa.Integer, nullable=False, server_default="0"),
    sa.Column("idempotency_key", sa.String),
    sa.Column("payload_sha256", sa.String),
    # The status of a job that has ended, empty until then; made by the database. Pages are indexed by it, not by
    # `status`: a claim so changes nothing that is indexed, and PostgreSQL need not write to every index.
    sa.Column("outcome", sa.String, sa.Computed(OUTCOME)),
    # `finished_at IS NULL` is how every query says "unfinished": a constant, so partial indexes answer it.
    sa.CheckConstraint("(finished_at IS NULL) = (status IN ('queued', 'running'))", name="jobs_finished"),
    sa.CheckConstraint("lease_owner IS NULL OR status = 'running'", name="jobs_leased"),
)

unfinished = jobs.c.finished_at.is_(None)
VOID_LEASE: Final[Mapping[str, Any]] = {"lease_owner": None, "lease_until": None, "lease_alone": False}
deleted = jobs.c.deleted_at.is_not(None)

# A page is one range of one index, whichever filters it has and however few jobs pass them: walking one index and
# dropping what another filter refuses took a second for an owner without failed jobs, among a million of others.
sa.Index("jobs_owner_id", jobs.c.owner, jobs.c.id)
sa.Index("jobs_owner_kind_id", jobs.c.owner, jobs.c.kind, jobs.c.id)
sa.Index("jobs_owner_outcome_id", jobs.c.owner, jobs.c.outcome, jobs.c.id)
sa.Index("jobs_owner_kind_outcome_id", jobs.c.owner, jobs.c.kind, jobs.c.outcome, jobs.c.id)
sa.Index("jobs_kind_id", jobs.c.kind, jobs.c.id)
sa.Index("jobs_outcome_id", jobs.c.outcome, jobs.c.id)
sa.Index("jobs_kind_outcome_id", jobs.c.kind, jobs.c.outcome, jobs.c.id)
sa.Index("jobs_unfinished", jobs.c.stage, jobs.c.ready_at, postgresql_where=unfinished, sqlite_where=unfinished)
_ended = jobs.c.finished_at.is_not(None)
sa.Index("jobs_finished_at", jobs.c.finished_at, postgresql_where=_ended, sqlite_where=_ended)
sa.Index("jobs_deleted_at", jobs.c.deleted_at, postgresql_where=deleted, sqlite_where=deleted)
_keyed = jobs.c.idempotency_key.is_not(None)
sa.Index(
    "jobs_idempotency",
    jobs.c.owner,
    jobs.c.idempotency_key,
    unique=True,
    postgresql_where=_keyed,
    sqlite_where=_keyed,
)

workers = sa.Table(
    "workers",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("stage", sa.String, nullable=False),
    sa.Column("models", Json, nullable=False),
    sa.Column("beat_at", UtcDateTime, nullable=False),
)
