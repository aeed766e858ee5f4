"""What an event has of its own beside its tickets: terminals in use, a cut-off, and days of refunds."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# cut_off_us: what was booked by then is settled as this event's; null: nobody said. refund_opens, refund_closes: first
# and last day (ISO, in the network's zone) on which holders are refunded, beside the days of the rules; both null:
# none.
event_closing = sa.Table(
    "event_closing",
    metadata,
    sa.Column("event", sa.ForeignKey("event.id"), primary_key=True),
    sa.Column("cut_off_us", sa.BigInteger),
    sa.Column("refund_opens", sa.Text),
    sa.Column("refund_closes", sa.Text),
    sa.Column("changed_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("(refund_opens IS NULL) = (refund_closes IS NULL)", name="refund_days_whole"),
    sa.CheckConstraint("refund_opens <= refund_closes", name="refund_days_in_turn"),
)

event_terminal = sa.Table(
    "event_terminal",
    metadata,
    sa.Column("event", sa.ForeignKey("event.id"), primary_key=True),
    sa.Column("terminal", sa.ForeignKey("terminal.id"), primary_key=True, index=True),
)
