"""Payments that are taken back after they were credited."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.topups.guards import GUARDS

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chargeback",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("topup", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("euro_cents", sa.BigInteger(), nullable=False),
        sa.Column("fee_cents", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("euro_cents > 0 AND fee_cents >= 0", name=op.f("ck_chargeback_amounts")),
        sa.CheckConstraint("kind IN ('dispute', 'return', 'refund')", name=op.f("ck_chargeback_kind_known")),
        sa.ForeignKeyConstraint(["topup"], ["topup.id"], name=op.f("fk_chargeback_topup")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chargeback")),
        sa.UniqueConstraint("provider", "reference", name=op.f("uq_chargeback_provider_reference")),
    )
    op.create_index(op.f("ix_chargeback_topup"), "chargeback", ["topup"], unique=False)
    op.create_table(
        "chargeback_end",
        sa.Column("chargeback", sa.Uuid(), nullable=False),
        sa.Column("operation", sa.Uuid(), nullable=False),
        sa.Column("fee_back_cents", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("fee_back_cents >= 0", name=op.f("ck_chargeback_end_fee_not_negative")),
        sa.ForeignKeyConstraint(["chargeback"], ["chargeback.id"], name=op.f("fk_chargeback_end_chargeback")),
        sa.PrimaryKeyConstraint("chargeback", name=op.f("pk_chargeback_end")),
    )
    op.create_table(
        "sandbox_dispute",
        sa.Column("payment", sa.Text(), nullable=False),
        sa.Column("won", sa.Boolean(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["payment"], ["sandbox_payment.reference"], name=op.f("fk_sandbox_dispute_payment")),
        sa.PrimaryKeyConstraint("payment", name=op.f("pk_sandbox_dispute")),
    )
    GUARDS.install(op.get_bind())
