"""Money of cancelled events that goes on to the payment that brought it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0080"
down_revision = "0079"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ticket_order_onward",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("refund", sa.Uuid(), nullable=True),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["ticket_order.id"], name=op.f("fk_ticket_order_onward_order_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_ticket_order_onward")),
    )
    op.add_column("refund", sa.Column("topup", sa.Uuid(), nullable=True))
