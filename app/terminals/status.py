"""What terminals tell of themselves: taken in if they signed it, and the last of it kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.platform.errors import Invalid
from app.terminals import logs
from app.terminals.service import Terminal
from app.terminals.tables import terminal, terminal_status
from app.wire import StatusReply, StatusReport, TerminalStatus


@dataclass(frozen=True, slots=True)
class Told:
    """A terminal's last word about itself, and when it came in by our clock."""

    status: TerminalStatus
    received_at_us: int


async def keep(connection: AsyncConnection, found: Terminal, report: StatusReport) -> StatusReply:
    """Keep a report whose signature was checked. Invalid: the text is no status.

    A report under an epoch that is over is answered and not kept: it is of a copy that has been replaced.
    """
    try:
        status = TerminalStatus.model_validate_json(report.status)
    except ValidationError as error:
        raise Invalid("This is not a terminal's status.") from error
    now = now_us()
    if report.epoch == found.epoch:
        values = {"epoch": report.epoch, "status": report.status, "received_at_us": now}
        insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
        statement = insert(terminal_status).values(terminal=found.id, **values)
        await connection.execute(statement.on_conflict_do_update(index_elements=["terminal"], set_=values))
        await connection.execute(
            sa.update(terminal)
            .where(terminal.c.id == found.id)
            .values(
                seen_at_us=now,
                waiting=min(status.waiting, 2**31 - 1),
                skew_ms=(status.at_us - now) // 1000,
                version=status.version,
            )
        )
    asked = await logs.wanted(connection, found.id) if report.epoch == found.epoch else None
    # The words of the table's constraint are those of the reply.
    return StatusReply.model_validate({"standing": found.status, "server_time_us": now, "logs": asked})


async def told(connection: AsyncConnection) -> Mapping[UUID, Told]:
    """The last word of each terminal that has told anything."""
    # What was told under an epoch that is over was told by another machine, or at another venue.
    of_now = sa.and_(terminal.c.id == terminal_status.c.terminal, terminal.c.epoch == terminal_status.c.epoch)
    rows = await connection.execute(sa.select(terminal_status).join(terminal, of_now))
    return {row.terminal: Told(TerminalStatus.model_validate_json(row.status), row.received_at_us) for row in rows}
