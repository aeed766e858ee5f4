"""Reports of payment providers on their payouts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.banking.guards import PAYOUTS

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "payout_report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.Column("imported_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_report")),
        sa.UniqueConstraint("digest", name=op.f("uq_payout_report_digest")),
    )
    op.create_table(
        "payout_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("report", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("payout", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("gross_cents", sa.BigInteger(), nullable=False),
        sa.Column("fee_cents", sa.BigInteger(), nullable=False),
        sa.Column("net_cents", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("names", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.CheckConstraint("net_cents = gross_cents - fee_cents", name=op.f("ck_payout_line_adds_up")),
        sa.ForeignKeyConstraint(["report"], ["payout_report.id"], name=op.f("fk_payout_line_report")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_line")),
        sa.UniqueConstraint("provider", "key", name=op.f("uq_payout_line_provider_key")),
    )
    op.create_index(op.f("ix_payout_line_report"), "payout_line", ["report"], unique=False)
    op.create_index(op.f("ix_payout_line_payout"), "payout_line", ["provider", "payout"], unique=False)
    op.create_index(op.f("ix_payout_line_day"), "payout_line", ["day"], unique=False)
    op.create_table(
        "payout_match",
        sa.Column("line", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("payout", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["line", "number"], ["bank_match.line", "bank_match.number"], name=op.f("fk_payout_match_line_number")
        ),
        sa.PrimaryKeyConstraint("line", "number", name=op.f("pk_payout_match")),
    )
    op.create_index(op.f("ix_payout_match_payout"), "payout_match", ["provider", "payout"], unique=False)
    PAYOUTS.install(op.get_bind())
