"""What people did about faults, and when a payment was heard to be paid."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.inbox.guards import GUARDS

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "inbox_step",
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("operation", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "act IN ('take', 'give', 'wait', 'open', 'note', 'done', 'book')", name=op.f("ck_inbox_step_act_known")
        ),
        sa.CheckConstraint("state IN ('open', 'waiting', 'done')", name=op.f("ck_inbox_step_state_known")),
        sa.CheckConstraint(
            "act <> 'book' OR (operation IS NOT NULL AND text <> '')", name=op.f("ck_inbox_step_booking_says_why")
        ),
        sa.CheckConstraint("act <> 'note' OR text <> ''", name=op.f("ck_inbox_step_note_says_something")),
        sa.PrimaryKeyConstraint("fault", "number", name=op.f("pk_inbox_step")),
    )
    op.create_index(op.f("ix_inbox_step_at_us"), "inbox_step", ["at_us"], unique=False)
    op.add_column("topup", sa.Column("paid_at_us", sa.BigInteger(), nullable=True))
    GUARDS.install(op.get_bind())
