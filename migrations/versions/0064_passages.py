"""What terminals saw at the doors of events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.door import guards

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "passage",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("ticket", sa.Uuid(), nullable=False),
        sa.Column("terminal", sa.Uuid(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("means", sa.Text(), nullable=False),
        sa.Column("cashier", sa.Uuid(), nullable=True),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("received_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("direction IN ('in', 'out')", name=op.f("ck_passage_direction_known")),
        sa.CheckConstraint("means IN ('card', 'code', 'list')", name=op.f("ck_passage_means_known")),
        sa.ForeignKeyConstraint(["terminal"], ["terminal.id"], name=op.f("fk_passage_terminal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passage")),
    )
    op.create_index("ix_passage_event_received", "passage", ["event", "received_at_us"], unique=False)
    guards.install(op.get_bind())
