"""That what was paid for a cancelled event is given back, and who said so; tickets that their holders gave back."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# One for each event: whatever is paid for it later goes back as well. How far it is, the orders say.
event_return = sa.Table(
    "event_return",
    metadata,
    sa.Column("event", sa.ForeignKey("event.id"), primary_key=True),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
)

# Written with the ticket's state. amount: what was paid for it, fee: what the venue keeps of that, in minor units of
# the order's money. actor: as its operation has it.
ticket_return = sa.Table(
    "ticket_return",
    metadata,
    sa.Column("ticket", sa.ForeignKey("ticket.id"), primary_key=True),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("fee", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("fee BETWEEN 0 AND amount", name="fee_known"),
)

# Those whose money is back: the others are the rounds' to book.
ticket_return_booked = sa.Table(
    "ticket_return_booked",
    metadata,
    sa.Column("ticket", sa.ForeignKey("ticket_return.ticket"), primary_key=True),
    sa.Column("at_us", sa.BigInteger, nullable=False),
)
