"""Tickets that a till sold without a card."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0077"
down_revision = "0076"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticket_order", sa.Column("by_hand", sa.Boolean(), server_default=sa.text("false"), nullable=False))
