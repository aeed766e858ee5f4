"""That what was paid for a cancelled event is given back, and who said so."""

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
