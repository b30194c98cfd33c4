"""The jobs and workers tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

JOB_ID = sa.String(36).with_variant(sa.String(36, collation="C"), "postgresql")
JSON = sa.JSON().with_variant(JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", JOB_ID, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("stage", sa.String),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("options", JSON, nullable=False),
        sa.Column("result", JSON),
        sa.Column("error", JSON),
        sa.Column("timings_ms", JSON, nullable=False),
        sa.Column("models", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("started_at", TIME),
        sa.Column("finished_at", TIME),
        sa.Column("deleted_at", TIME),
        sa.Column("ready_at", TIME, nullable=False),
        sa.Column("hinted_at", TIME),
        sa.Column("lease_owner", sa.String),
        sa.Column("lease_until", TIME),
        sa.Column("idempotency_key", sa.String),
        sa.Column("payload_sha256", sa.String),
        sa.CheckConstraint("(finished_at IS NULL) = (status IN ('queued', 'running'))", name="jobs_finished"),
        sa.CheckConstraint("lease_owner IS NULL OR status = 'running'", name="jobs_leased"),
    )
    op.create_index("jobs_owner_id", "jobs", ["owner", "id"])
    op.create_index("jobs_kind_id", "jobs", ["kind", "id"])
    op.create_index("jobs_status_id", "jobs", ["status", "id"])
    op.create_index("jobs_kind_status_id", "jobs", ["kind", "status", "id"])
    _create_partial_index("jobs_unfinished", ["stage", "ready_at"], "finished_at IS NULL")
    _create_partial_index("jobs_finished_at", ["finished_at"], "finished_at IS NOT NULL")
    _create_partial_index("jobs_deleted_at", ["deleted_at"], "deleted_at IS NOT NULL")
    _create_partial_index("jobs_idempotency", ["owner", "idempotency_key"], "idempotency_key IS NOT NULL", unique=True)
    op.create_table(
        "workers",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("stage", sa.String, nullable=False),
        sa.Column("models", JSON, nullable=False),
        sa.Column("beat_at", TIME, nullable=False),
    )


def downgrade() -> None:
    op.drop_table("workers")
    op.drop_table("jobs")


def _create_partial_index(name: str, columns: list[str], condition: str, *, unique: bool = False) -> None:
    where = sa.text(condition)
    op.create_index(name, "jobs", columns, unique=unique, postgresql_where=where, sqlite_where=where)
