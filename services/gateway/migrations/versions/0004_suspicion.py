"""Which jobs may have killed a worker, and whether one runs alone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("jobs", sa.Column("lease_alone", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("jobs", sa.Column("suspicion", sa.Integer, nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("jobs", "suspicion")
    op.drop_column("jobs", "lease_alone")
