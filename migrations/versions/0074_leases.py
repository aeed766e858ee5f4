"""Tickets lent to terminals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.leases import guards

revision = "0074"
down_revision = "0073"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "lease",
        sa.Column("price", sa.Uuid(), nullable=False),
        sa.Column("terminal", sa.Uuid(), nullable=False),
        sa.Column("keep", sa.Integer(), nullable=False),
        sa.Column("changed_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("keep >= 0", name=op.f("ck_lease_keeps_some")),
        sa.ForeignKeyConstraint(["price"], ["event_price.id"], name=op.f("fk_lease_price")),
        sa.ForeignKeyConstraint(["terminal"], ["terminal.id"], name=op.f("fk_lease_terminal")),
        sa.PrimaryKeyConstraint("price", "terminal", name=op.f("pk_lease")),
    )
    op.create_index(op.f("ix_lease_terminal"), "lease", ["terminal"], unique=False)
    op.create_table(
        "lease_ticket",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("price", sa.Uuid(), nullable=False),
        sa.Column("terminal", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("sale", sa.Uuid(), nullable=True),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.Column("changed_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('leased', 'sold', 'returned')", name=op.f("ck_lease_ticket_state_known")),
        sa.CheckConstraint("(state = 'sold') = (sale IS NOT NULL)", name=op.f("ck_lease_ticket_sold_by_a_sale")),
        sa.ForeignKeyConstraint(["event"], ["event.id"], name=op.f("fk_lease_ticket_event")),
        sa.ForeignKeyConstraint(["price"], ["event_price.id"], name=op.f("fk_lease_ticket_price")),
        sa.ForeignKeyConstraint(["terminal"], ["terminal.id"], name=op.f("fk_lease_ticket_terminal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lease_ticket")),
    )
    op.create_index(op.f("ix_lease_ticket_event"), "lease_ticket", ["event"], unique=False)
    op.create_index(op.f("ix_lease_ticket_price"), "lease_ticket", ["price"], unique=False)
    op.create_index("ix_lease_ticket_terminal", "lease_ticket", ["terminal", "epoch", "state"], unique=False)
    op.add_column("ticket_order", sa.Column("sale", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_ticket_order_sale"), "ticket_order", ["sale"], unique=False)
    guards.install(op.get_bind())
