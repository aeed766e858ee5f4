"""What one may be a member of, and who is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "member_plan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=True),
        sa.Column("name_fr", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("shares", sa.BigInteger(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=True),
        sa.Column("season_first", sa.Date(), nullable=True),
        sa.Column("season_last", sa.Date(), nullable=True),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_us", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("price > 0 AND shares >= 0 AND shares <= price", name=op.f("ck_member_plan_split")),
        sa.CheckConstraint("venue IS NULL OR shares = 0", name=op.f("ck_member_plan_shares_of_the_network")),
        sa.CheckConstraint(
            "(months > 0 AND season_first IS NULL AND season_last IS NULL)"
            " OR (months IS NULL AND season_first <= season_last)",
            name=op.f("ck_member_plan_lasts"),
        ),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_member_plan_currency")),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_member_plan_venue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_plan")),
    )
    op.create_index(op.f("ix_member_plan_venue"), "member_plan", ["venue"], unique=False)
    op.create_table(
        "member_term",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan", sa.Uuid(), nullable=False),
        sa.Column("wallet", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("shares", sa.BigInteger(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("asked_at_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("reminded", sa.Boolean(), server_default=sa.text("false"), nullable=True),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_member_term_days_in_order")),
        sa.CheckConstraint("state IN ('pending', 'held', 'cancelled')", name=op.f("ck_member_term_state_known")),
        sa.CheckConstraint(
            "(state = 'cancelled') = (end_reason IS NOT NULL)", name=op.f("ck_member_term_cancelled_with_a_reason")
        ),
        sa.ForeignKeyConstraint(["plan"], ["member_plan.id"], name=op.f("fk_member_term_plan")),
        sa.ForeignKeyConstraint(["wallet"], ["wallet.id"], name=op.f("fk_member_term_wallet")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_term")),
    )
    op.create_index(op.f("ix_member_term_plan"), "member_term", ["plan"], unique=False)
    op.create_index(op.f("ix_member_term_wallet"), "member_term", ["wallet"], unique=False)
    op.create_index(
        "uq_member_term_period",
        "member_term",
        ["plan", "wallet", "last_day"],
        unique=True,
        sqlite_where=sa.text("state <> 'cancelled'"),
        postgresql_where=sa.text("state <> 'cancelled'"),
    )
