"""Cards that are out of use for good, and wallets that may be left while nothing ever was on them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.cards import guards

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "card_end",
        sa.Column("card", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("replaced_by", sa.Uuid(), nullable=True),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("outcome IN ('replaced', 'retired')", name=op.f("ck_card_end_outcome_known")),
        sa.CheckConstraint("(outcome = 'replaced') = (replaced_by IS NOT NULL)", name=op.f("ck_card_end_by_another")),
        sa.CheckConstraint("replaced_by <> card", name=op.f("ck_card_end_not_itself")),
        sa.ForeignKeyConstraint(["card"], ["card.id"], name=op.f("fk_card_end_card")),
        sa.ForeignKeyConstraint(["replaced_by"], ["card.id"], name=op.f("fk_card_end_replaced_by")),
        sa.PrimaryKeyConstraint("card", name=op.f("pk_card_end")),
    )
    op.create_index(op.f("ix_card_end_replaced_by"), "card_end", ["replaced_by"], unique=False)
    guards.install(op.get_bind())
