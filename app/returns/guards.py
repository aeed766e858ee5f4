"""The triggers by which the database itself keeps what was given back, and by whom."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from app.platform.kept_rows import AppendOnly

RUNS: Final = AppendOnly({"event_return": "event = NEW.event"}, "event_return_refuse", "what was given back stays so")
TICKETS: Final = AppendOnly(
    {"ticket_return": "ticket = NEW.ticket", "ticket_return_booked": "ticket = NEW.ticket"},
    "ticket_return_refuse",
    "what was given back stays so",
)


def missing(connection: sa.Connection) -> list[str]:
    """Guards that are not in place, by name."""
    return RUNS.missing(connection) + TICKETS.missing(connection)
