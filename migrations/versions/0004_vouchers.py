"""Batches of gifts, vouchers and credit lines."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "issue_batch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("valid_until_us", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(length=32), nullable=False),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('gifts', 'vouchers')", name=op.f("ck_issue_batch_kind_known")),
        sa.CheckConstraint("amount > 0 AND parts > 0", name=op.f("ck_issue_batch_something")),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_issue_batch_currency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issue_batch")),
    )
    op.create_index(op.f("ix_issue_batch_made_at_us"), "issue_batch", ["made_at_us"], unique=False)
    op.create_table(
        "voucher",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("batch", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("code_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["batch"], ["issue_batch.id"], name=op.f("fk_voucher_batch")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher")),
        sa.UniqueConstraint("batch", "number", name=op.f("uq_voucher_batch_number")),
        sa.UniqueConstraint("code_sha256", name=op.f("uq_voucher_code_sha256")),
    )
    op.create_table(
        "credit_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("card", sa.Uuid(), nullable=False),
        sa.Column("wallet", sa.Uuid(), nullable=False),
        sa.Column("credit", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at_us", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at_us", sa.BigInteger(), nullable=True),
        sa.Column("policy", sa.Text(), nullable=True),
        sa.CheckConstraint("credit >= 0", name=op.f("ck_credit_line_credit_not_negative")),
        sa.CheckConstraint("state IN ('asked', 'granted', 'refused')", name=op.f("ck_credit_line_state_known")),
        sa.CheckConstraint("(state = 'asked') = (decided_by IS NULL)", name=op.f("ck_credit_line_decided")),
        sa.CheckConstraint("state <> 'granted' OR decided_by <> asked_by", name=op.f("ck_credit_line_two_people")),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_credit_line_currency")),
        sa.ForeignKeyConstraint(["card"], ["card.id"], name=op.f("fk_credit_line_card")),
        sa.ForeignKeyConstraint(["wallet"], ["wallet.id"], name=op.f("fk_credit_line_wallet")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_line")),
    )
    op.create_index(op.f("ix_credit_line_wallet"), "credit_line", ["wallet"], unique=False)
