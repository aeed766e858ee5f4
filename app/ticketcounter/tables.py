"""What partner venues may sell of an event, and orders that a counter took back."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# places: how many at this price the partner sells at most. They are not set aside: whoever comes first has a place.
# How many it has sold, the orders say (ticket_order.partner).
partner_quota = sa.Table(
    "partner_quota",
    metadata,
    sa.Column("price", sa.ForeignKey("event_price.id"), primary_key=True),
    sa.Column("venue", sa.ForeignKey("venue.id"), primary_key=True, index=True),
    sa.Column("places", sa.Integer, nullable=False),
    sa.Column("changed_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("places > 0", name="some_places"),
)

# Written first; the money and the tickets follow, and the rounds see to what was left between.
counter_undo = sa.Table(
    "counter_undo",
    metadata,
    sa.Column("order_id", sa.ForeignKey("ticket_order.id"), primary_key=True),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
)
