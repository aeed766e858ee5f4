"""Who waits for places of an event, and whom its venue invites.

What those who wait want in all is counted on the price (`event_price.waiting`): whoever joins or leaves the line
changes both in one transaction, the event locked first.
"""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# turn: counts the event's from 1. order_id: the places that are or were offered. email: until the offer is written.
waiting_place = sa.Table(
    "waiting_place",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("event", sa.ForeignKey("event.id"), nullable=False),
    sa.Column("price", sa.ForeignKey("event_price.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("wallet", sa.ForeignKey("wallet.id"), nullable=False, index=True),
    sa.Column("places", sa.Integer, nullable=False),
    sa.Column("turn", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("order_id", sa.ForeignKey("ticket_order.id"), unique=True),
    sa.Column("email", sa.Text),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("asked_at_us", sa.BigInteger, nullable=False),
    sa.Column("changed_at_us", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("event", "turn"),
    sa.CheckConstraint("places > 0 AND turn > 0", name="something"),
    sa.CheckConstraint("state IN ('waiting', 'offered', 'taken', 'missed', 'left')", name="state_known"),
    sa.CheckConstraint("state <> 'waiting' OR order_id IS NULL", name="not_offered_yet"),
    sa.CheckConstraint("state NOT IN ('offered', 'taken') OR order_id IS NOT NULL", name="offered"),
)
_OPEN = waiting_place.c.state.in_(["waiting", "offered"])
# Each wallet stands once in a line, and is offered places once at a time.
sa.Index(
    "uq_waiting_place_once",
    waiting_place.c.event,
    waiting_place.c.wallet,
    unique=True,
    sqlite_where=_OPEN,
    postgresql_where=_OPEN,
)

# name: the guest's. address: the card that its link stands for; NULL: it was given onto a card at once. How it stands
# is how its order does.
invitation = sa.Table(
    "event_invitation",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("event", sa.ForeignKey("event.id"), nullable=False, index=True),
    sa.Column("price", sa.ForeignKey("event_price.id"), nullable=False),
    sa.Column("name", sa.Text),
    sa.Column("address", sa.ForeignKey("card.id")),
    sa.Column("order_id", sa.ForeignKey("ticket_order.id"), nullable=False, unique=True),
    sa.Column("made_at_us", sa.BigInteger, nullable=False),
)
