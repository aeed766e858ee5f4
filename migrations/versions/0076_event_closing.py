"""An event's terminals, its cut-off and its days of refunds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0076"
down_revision = "0075"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event_closing",
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("cut_off_us", sa.BigInteger(), nullable=True),
        sa.Column("refund_opens", sa.Text(), nullable=True),
        sa.Column("refund_closes", sa.Text(), nullable=True),
        sa.Column("changed_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(refund_opens IS NULL) = (refund_closes IS NULL)", name=op.f("ck_event_closing_refund_days_whole")
        ),
        sa.CheckConstraint("refund_opens <= refund_closes", name=op.f("ck_event_closing_refund_days_in_turn")),
        sa.ForeignKeyConstraint(["event"], ["event.id"], name=op.f("fk_event_closing_event")),
        sa.PrimaryKeyConstraint("event", name=op.f("pk_event_closing")),
    )
    op.create_table(
        "event_terminal",
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("terminal", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["event"], ["event.id"], name=op.f("fk_event_terminal_event")),
        sa.ForeignKeyConstraint(["terminal"], ["terminal.id"], name=op.f("fk_event_terminal_terminal")),
        sa.PrimaryKeyConstraint("event", "terminal", name=op.f("pk_event_terminal")),
    )
    op.create_index(op.f("ix_event_terminal_terminal"), "event_terminal", ["terminal"], unique=False)
