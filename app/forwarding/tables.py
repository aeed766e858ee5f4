"""Tickets that were offered to friends, and what became of it."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# One row for each time that a ticket was offered by a link. new_ticket: the friend's, which stands in its place.
# address: the card without a chip on which it lies, where the friend shows it from the link's page.
ticket_forward = sa.Table(
    "ticket_forward",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("ticket", sa.ForeignKey("ticket.id"), nullable=False, index=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("new_ticket", sa.ForeignKey("ticket.id"), unique=True),
    sa.Column("address", sa.ForeignKey("card.id")),
    sa.Column("made_at_us", sa.BigInteger, nullable=False),
    sa.Column("changed_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("state IN ('open', 'taken', 'withdrawn')", name="state_known"),
    sa.CheckConstraint("(state = 'taken') = (new_ticket IS NOT NULL)", name="taken_with_a_ticket"),
    sa.CheckConstraint("address IS NULL OR state = 'taken'", name="address_of_what_is_taken"),
)
# A ticket is offered by one link at a time, and goes to one friend.
_STANDING = ticket_forward.c.state.in_(["open", "taken"])
sa.Index(
    "ix_ticket_forward_standing",
    ticket_forward.c.ticket,
    unique=True,
    sqlite_where=_STANDING,
    postgresql_where=_STANDING,
)
