"""What partner venues may sell of an event, and orders that a counter took back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0079"
down_revision = "0078"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "partner_quota",
        sa.Column("price", sa.Uuid(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("changed_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("places > 0", name=op.f("ck_partner_quota_some_places")),
        sa.ForeignKeyConstraint(["price"], ["event_price.id"], name=op.f("fk_partner_quota_price")),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_partner_quota_venue")),
        sa.PrimaryKeyConstraint("price", "venue", name=op.f("pk_partner_quota")),
    )
    op.create_index(op.f("ix_partner_quota_venue"), "partner_quota", ["venue"], unique=False)
    op.create_table(
        "counter_undo",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["ticket_order.id"], name=op.f("fk_counter_undo_order_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_counter_undo")),
    )
    op.add_column("ticket_order", sa.Column("sold_by", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_ticket_order_sold_by"), "ticket_order", ["sold_by"], unique=False)
