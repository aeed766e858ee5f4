"""Gift vouchers that wait for their money."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0082"
down_revision = "0081"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gift_basket",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("card", sa.Uuid(), nullable=False),
        sa.Column("wallet", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("topup", sa.Uuid(), nullable=False),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_gift_basket_some_amount")),
        sa.ForeignKeyConstraint(["card"], ["card.id"], name=op.f("fk_gift_basket_card")),
        sa.ForeignKeyConstraint(["wallet"], ["wallet.id"], name=op.f("fk_gift_basket_wallet")),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_gift_basket_currency")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gift_basket")),
    )
    op.create_index(op.f("ix_gift_basket_wallet"), "gift_basket", ["wallet"], unique=False)
