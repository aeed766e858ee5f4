"""Notices of what lapses, periods that are done, and how credit limits grew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lapse_notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("due_us", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.Column("taken", sa.BigInteger(), nullable=True),
        sa.Column("closed_at_us", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(taken IS NULL) = (closed_at_us IS NULL)", name=op.f("ck_lapse_notice_closed_whole")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_lapse_notice_amount_positive")),
        sa.CheckConstraint("due_us >= made_at_us", name=op.f("ck_lapse_notice_told_before")),
        sa.CheckConstraint("effect IN ('demurrage', 'dormancy', 'expiry')", name=op.f("ck_lapse_notice_effect_known")),
        sa.CheckConstraint(
            "taken IS NULL OR (taken >= 0 AND taken <= amount)", name=op.f("ck_lapse_notice_taken_as_told")
        ),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_lapse_notice_currency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lapse_notice")),
        sa.UniqueConstraint(
            "currency", "effect", "owner", "period", name=op.f("uq_lapse_notice_currency_effect_owner_period")
        ),
    )
    op.create_index(
        "ix_lapse_notice_open",
        "lapse_notice",
        ["due_us"],
        unique=False,
        postgresql_where=sa.text("taken IS NULL"),
        sqlite_where=sa.text("taken IS NULL"),
    )
    op.create_index(op.f("ix_lapse_notice_owner"), "lapse_notice", ["owner"], unique=False)
    op.create_index("ix_lapse_notice_period", "lapse_notice", ["currency", "effect", "period"], unique=False)
    op.create_table(
        "lapse_period",
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("end_us", sa.BigInteger(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("done_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "effect IN ('demurrage', 'dormancy', 'expiry', 'growth')", name=op.f("ck_lapse_period_effect_known")
        ),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_lapse_period_currency")),
        sa.PrimaryKeyConstraint("currency", "effect", "period", name=op.f("pk_lapse_period")),
    )
    op.create_table(
        "credit_growth",
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("period", sa.Date(), nullable=False),
        sa.Column("sold", sa.BigInteger(), nullable=False),
        sa.Column("limit_before", sa.BigInteger(), nullable=False),
        sa.Column("limit_after", sa.BigInteger(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("limit_after > limit_before", name=op.f("ck_credit_growth_grows")),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_credit_growth_currency")),
        sa.PrimaryKeyConstraint("currency", "owner", "period", name=op.f("pk_credit_growth")),
    )
