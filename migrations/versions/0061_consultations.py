"""What members are asked, who may vote, and the counts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0061"
down_revision = "0060"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "consultation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan", sa.Uuid(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("anonymous", sa.Boolean(), nullable=False),
        sa.Column("quorum", sa.Integer(), nullable=False),
        sa.Column("opens_at_us", sa.BigInteger(), nullable=False),
        sa.Column("closes_at_us", sa.BigInteger(), nullable=False),
        sa.Column("entitled", sa.Integer(), nullable=True),
        sa.CheckConstraint("opens_at_us < closes_at_us", name=op.f("ck_consultation_opens_first")),
        sa.CheckConstraint("quorum BETWEEN 0 AND 100", name=op.f("ck_consultation_quorum_a_share")),
        sa.ForeignKeyConstraint(["plan"], ["member_plan.id"], name=op.f("fk_consultation_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consultation")),
    )
    op.create_index(op.f("ix_consultation_plan"), "consultation", ["plan"], unique=False)
    op.create_table(
        "consultation_voter",
        sa.Column("consultation", sa.Uuid(), nullable=False),
        sa.Column("wallet", sa.Uuid(), nullable=False),
        sa.Column("voted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("choice", sa.Integer(), nullable=True),
        sa.CheckConstraint("voted OR choice IS NULL", name=op.f("ck_consultation_voter_choice_of_a_vote")),
        sa.ForeignKeyConstraint(["consultation"], ["consultation.id"], name=op.f("fk_consultation_voter_consultation")),
        sa.ForeignKeyConstraint(["wallet"], ["wallet.id"], name=op.f("fk_consultation_voter_wallet")),
        sa.PrimaryKeyConstraint("consultation", "wallet", name=op.f("pk_consultation_voter")),
    )
    op.create_table(
        "consultation_option",
        sa.Column("consultation", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("votes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("votes >= 0", name=op.f("ck_consultation_option_votes_counted")),
        sa.ForeignKeyConstraint(
            ["consultation"], ["consultation.id"], name=op.f("fk_consultation_option_consultation")
        ),
        sa.PrimaryKeyConstraint("consultation", "position", name=op.f("pk_consultation_option")),
    )
