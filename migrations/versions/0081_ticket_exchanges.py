"""Tickets that their holders exchange."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0081"
down_revision = "0080"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ticket_exchange",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("ticket", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["ticket_order.id"], name=op.f("fk_ticket_exchange_order_id")),
        sa.ForeignKeyConstraint(["ticket"], ["ticket.id"], name=op.f("fk_ticket_exchange_ticket")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_ticket_exchange")),
        sa.UniqueConstraint("ticket", name=op.f("uq_ticket_exchange_ticket")),
    )
