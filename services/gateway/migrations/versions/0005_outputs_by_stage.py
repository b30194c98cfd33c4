"""Jobs under way begin again: what a stage leaves for the next one has another shape from here on."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Every kind of job there was before began at the detector; the photos are there, and it looks at them once more.
AGAIN = "UPDATE jobs SET stage = 'detector', result = NULL WHERE finished_at IS NULL AND stage <> 'detector'"


def upgrade() -> None:
    op.execute(AGAIN)


def downgrade() -> None:
    op.execute(AGAIN)
