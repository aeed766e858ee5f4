"""Tabs and what is on them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tab",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("cashier", sa.Uuid(), nullable=True),
        sa.Column("opened_at_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
        sa.Column("sale", sa.Uuid(), nullable=True),
        sa.Column("paid_by", sa.Text(), nullable=True),
        sa.Column("closer", sa.Uuid(), nullable=True),
        sa.Column("closed_at_us", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_tab_amount_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tab")),
    )
    op.create_index("ix_tab_venue_closed", "tab", ["venue", "closed_at_us"], unique=False)
    op.create_table(
        "tab_item",
        sa.Column("round", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tab", sa.Uuid(), nullable=False),
        sa.Column("product", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("terminal", sa.Uuid(), nullable=False),
        sa.Column("cashier", sa.Uuid(), nullable=True),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["tab"], ["tab.id"], name=op.f("fk_tab_item_tab")),
        sa.PrimaryKeyConstraint("round", "place", name=op.f("pk_tab_item")),
    )
    op.create_index(op.f("ix_tab_item_tab"), "tab_item", ["tab"], unique=False)
