"""What was practised in training mode, apart from everything real."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "training",
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("terminal", sa.Uuid(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("cashier", sa.Uuid(), nullable=True),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.CheckConstraint("what IN ('begin', 'end', 'sale', 'void')", name=op.f("ck_training_what_known")),
        sa.PrimaryKeyConstraint("event", name=op.f("pk_training")),
    )
    op.create_index("ix_training_venue_at", "training", ["venue", "at_us"], unique=False)
