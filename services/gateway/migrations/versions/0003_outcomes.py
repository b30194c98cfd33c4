"""Pages by outcome instead of status, which a claim changes: nothing that is indexed changes with it any more."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OUTCOME = "CASE WHEN finished_at IS NOT NULL THEN status END"
LEADING: tuple[list[str], ...] = ([], ["kind"], ["owner"], ["owner", "kind"])
# Room in each page for the row a claim writes beside the old one, so that no index has to learn of a new place.
FILL_PERCENT = 85


def upgrade() -> None:
    postgresql = op.get_context().dialect.name == "postgresql"
    # A stored column rewrites PostgreSQL's table, so the room is made first; SQLite adds only virtual ones.
    if postgresql:
        op.execute(f"ALTER TABLE jobs SET (fillfactor = {FILL_PERCENT})")
    op.add_column("jobs", sa.Column("outcome", sa.String, sa.Computed(OUTCOME, persisted=True if postgresql else None)))
    _index_instead_of("status", "outcome")


def downgrade() -> None:
    _index_instead_of("outcome", "status")
    op.drop_column("jobs", "outcome")
    if op.get_context().dialect.name == "postgresql":
        op.execute("ALTER TABLE jobs RESET (fillfactor)")


def _index_instead_of(old: str, new: str) -> None:
    for leading in LEADING:
        op.drop_index("_".join(["jobs", *leading, old, "id"]), "jobs")
        op.create_index("_".join(["jobs", *leading, new, "id"]), "jobs", [*leading, new, "id"])
