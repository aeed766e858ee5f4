"""Which cards prove at phones that they are there."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("card", sa.Column("taps", sa.Boolean(), server_default=sa.text("false"), nullable=False))
