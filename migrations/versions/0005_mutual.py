"""Members and the credit they start with, loans, memberships."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "member",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("card", sa.Uuid(), nullable=False),
        sa.Column("wallet", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("joined_at_us", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["card"], ["card.id"], name=op.f("fk_member_card")),
        sa.ForeignKeyConstraint(["wallet"], ["wallet.id"], name=op.f("fk_member_wallet")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("wallet", name=op.f("uq_member_wallet")),
    )
    op.create_table(
        "member_role",
        sa.Column("member", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "role IN ('contributor', 'user', 'host', 'mutualiser')", name=op.f("ck_member_role_role_known")
        ),
        sa.ForeignKeyConstraint(["member"], ["member.id"], name=op.f("fk_member_role_member")),
        sa.PrimaryKeyConstraint("member", "role", name=op.f("pk_member_role")),
    )
    op.create_table(
        "loan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("borrower", sa.Uuid(), nullable=False),
        sa.Column("lender", sa.Uuid(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("thing", sa.Text(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("lent_at_us", sa.BigInteger(), nullable=False),
        sa.Column("due_at_us", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_us", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.CheckConstraint("points > 0 AND spent >= 0 AND spent <= points", name=op.f("ck_loan_points_whole")),
        sa.CheckConstraint("status IN ('out', 'returned', 'lost')", name=op.f("ck_loan_status_known")),
        sa.CheckConstraint("(status = 'out') = (ended_at_us IS NULL)", name=op.f("ck_loan_ended_whole")),
        sa.ForeignKeyConstraint(["borrower"], ["member.id"], name=op.f("fk_loan_borrower")),
        sa.ForeignKeyConstraint(["lender"], ["member.id"], name=op.f("fk_loan_lender")),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_loan_currency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loan")),
    )
    op.create_index("ix_loan_status", "loan", ["status", "due_at_us"])
    op.create_index(op.f("ix_loan_borrower"), "loan", ["borrower"])
    op.create_table(
        "membership_plan",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name_fr", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("shares_cents", sa.BigInteger(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "price_cents > 0 AND shares_cents >= 0 AND shares_cents <= price_cents",
            name=op.f("ck_membership_plan_split"),
        ),
        sa.CheckConstraint("days > 0", name=op.f("ck_membership_plan_days_positive")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_membership_plan")),
    )
    op.create_table(
        "membership",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("member", sa.Uuid(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("shares_cents", sa.BigInteger(), nullable=False),
        sa.Column("means", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.CheckConstraint("means IN ('online', 'cash', 'transfer', 'card')", name=op.f("ck_membership_means_known")),
        sa.ForeignKeyConstraint(["member"], ["member.id"], name=op.f("fk_membership_member")),
        sa.ForeignKeyConstraint(["plan"], ["membership_plan.code"], name=op.f("fk_membership_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
    )
    op.create_index(op.f("ix_membership_member"), "membership", ["member"])
    op.create_table(
        "credit_start",
        sa.Column("member", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["member"], ["member.id"], name=op.f("fk_credit_start_member")),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_credit_start_currency")),
        sa.PrimaryKeyConstraint("member", "currency", name=op.f("pk_credit_start")),
    )
