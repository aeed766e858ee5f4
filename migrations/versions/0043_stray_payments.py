"""Payments at the provider that no top-up here knows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stray_payment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("topup", sa.Uuid(), nullable=True),
        sa.Column("euro_cents", sa.BigInteger(), nullable=False),
        sa.Column("found_at_us", sa.BigInteger(), nullable=False),
        sa.Column("settled_at_us", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("euro_cents >= 0", name=op.f("ck_stray_payment_amount")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stray_payment")),
        sa.UniqueConstraint("provider", "reference", name=op.f("uq_stray_payment_provider_reference")),
    )
