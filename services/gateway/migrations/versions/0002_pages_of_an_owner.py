"""Indexes for the filtered pages of one owner."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INDEXES = {
    "jobs_owner_kind_id": ["owner", "kind", "id"],
    "jobs_owner_status_id": ["owner", "status", "id"],
    "jobs_owner_kind_status_id": ["owner", "kind", "status", "id"],
}


def upgrade() -> None:
    for name, columns in INDEXES.items():
        op.create_index(name, "jobs", columns)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, "jobs")
