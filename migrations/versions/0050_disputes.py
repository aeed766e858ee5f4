"""Sales that holders dispute."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dispute",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sale", sa.Uuid(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("wallet", sa.Uuid(), nullable=False),
        sa.Column("card", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("opened_at_us", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.Column("answered_at_us", sa.BigInteger(), nullable=True),
        sa.Column("operation", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "reason IN ('not_me', 'amount', 'not_received', 'twice')", name=op.f("ck_dispute_reason_known")
        ),
        sa.CheckConstraint("state IN ('open', 'taken_back', 'refused')", name=op.f("ck_dispute_state_known")),
        sa.CheckConstraint("(state = 'open') = (answered_at_us IS NULL)", name=op.f("ck_dispute_answered_once")),
        sa.CheckConstraint("(state = 'open') = (answered_by IS NULL)", name=op.f("ck_dispute_answered_by_somebody")),
        sa.CheckConstraint("state <> 'refused' OR answer <> ''", name=op.f("ck_dispute_refused_with_words")),
        sa.CheckConstraint("state = 'open' OR email IS NULL", name=op.f("ck_dispute_address_gone_once_answered")),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_dispute_venue")),
        sa.ForeignKeyConstraint(["wallet"], ["wallet.id"], name=op.f("fk_dispute_wallet")),
        sa.ForeignKeyConstraint(["card"], ["card.id"], name=op.f("fk_dispute_card")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute")),
    )
    op.create_index(op.f("ix_dispute_sale"), "dispute", ["sale"])
    op.create_index(op.f("ix_dispute_wallet"), "dispute", ["wallet"])
    op.create_index("ix_dispute_venue", "dispute", ["venue", "state"])
    op.create_index(
        "uq_dispute_open",
        "dispute",
        ["sale"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
