"""Free places that a venue gives out, and the name that an order's tickets bear."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0073"
down_revision = "0072"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("ticket_order", sa.Column("guest", sa.Text(), nullable=True))
    op.create_table(
        "event_invitation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("price", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("address", sa.Uuid(), nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["address"], ["card.id"], name=op.f("fk_event_invitation_address")),
        sa.ForeignKeyConstraint(["event"], ["event.id"], name=op.f("fk_event_invitation_event")),
        sa.ForeignKeyConstraint(["order_id"], ["ticket_order.id"], name=op.f("fk_event_invitation_order_id")),
        sa.ForeignKeyConstraint(["price"], ["event_price.id"], name=op.f("fk_event_invitation_price")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_invitation")),
        sa.UniqueConstraint("order_id", name=op.f("uq_event_invitation_order_id")),
    )
    op.create_index(op.f("ix_event_invitation_event"), "event_invitation", ["event"], unique=False)
