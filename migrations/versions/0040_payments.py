"""What payment providers say of a payment, when to ask them again, and their notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("topup", sa.Column("url", sa.Text(), nullable=True))
    op.add_column("topup", sa.Column("asked", sa.Integer(), server_default="0", nullable=False))
    op.add_column("topup", sa.Column("ask_at_us", sa.BigInteger(), nullable=True))
    # On SQLite the only way to a constraint on a table that stands is as a part of a column; PostgreSQL reads it too.
    op.execute(
        "ALTER TABLE topup ADD COLUMN paid_cents BIGINT CONSTRAINT ck_topup_all_was_paid"
        " CHECK (status <> 'credited' OR paid_cents = euro_cents OR paid_cents IS NULL)"
    )
    op.execute(
        "ALTER TABLE topup ADD COLUMN fee_cents BIGINT CONSTRAINT ck_topup_fee_fits"
        " CHECK (fee_cents BETWEEN 0 AND euro_cents)"
    )
    op.create_index(op.f("ix_topup_ask_at_us"), "topup", ["ask_at_us"], unique=False)
    op.execute("UPDATE topup SET ask_at_us = 0 WHERE status = 'pending'")
    op.create_table(
        "payment_event",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "event", name=op.f("pk_payment_event")),
    )
    op.create_index(op.f("ix_payment_event_at_us"), "payment_event", ["at_us"], unique=False)
