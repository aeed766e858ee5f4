"""Gift vouchers that holders buy."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0068"
down_revision = "0067"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("issue_batch", sa.Column("wallet", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_issue_batch_wallet"), "issue_batch", ["wallet"], unique=False)
