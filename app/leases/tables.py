"""What terminals were lent of an event's places: tickets made in advance, each for one terminal in one epoch."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# keep: how many tickets at this price the terminal may have unsold.
lease = sa.Table(
    "lease",
    metadata,
    sa.Column("price", sa.ForeignKey("event_price.id"), primary_key=True),
    sa.Column("terminal", sa.ForeignKey("terminal.id"), primary_key=True, index=True),
    sa.Column("keep", sa.Integer, nullable=False),
    sa.Column("changed_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("keep >= 0", name="keeps_some"),
)

# id: also the ticket's, once it is sold. leased: its place is counted as lent. sale: by which the terminal sold it.
lease_ticket = sa.Table(
    "lease_ticket",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("event", sa.ForeignKey("event.id"), nullable=False, index=True),
    sa.Column("price", sa.ForeignKey("event_price.id"), nullable=False, index=True),
    sa.Column("terminal", sa.ForeignKey("terminal.id"), nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("sale", sa.Uuid),
    sa.Column("made_at_us", sa.BigInteger, nullable=False),
    sa.Column("changed_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("state IN ('leased', 'sold', 'returned')", name="state_known"),
    sa.CheckConstraint("(state = 'sold') = (sale IS NOT NULL)", name="sold_by_a_sale"),
    sa.Index("ix_lease_ticket_terminal", "terminal", "epoch", "state"),
)
