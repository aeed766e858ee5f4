"""Cash goes out for what is on a card only when every terminal that may have sold to it was heard of."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from app.platform.clock import now_us
from app.platform.errors import Conflict
from app.terminals.service import Terminal, terminals_away
from app.venues.service import the_network


async def require_all_heard(connection: AsyncConnection, asking: Terminal) -> None:
    """Raises Conflict("terminals-away") while another terminal than the one that asks may have sold to any card."""
    settings, now = (await the_network(connection)).settings, now_us()
    away = await terminals_away(
        connection, now - settings.refund_wait_s * 1_000_000, now - settings.refund_heard_s * 1_000_000
    )
    if away - {asking.id}:
        raise Conflict("A terminal without network may have sold to this card.", "terminals-away")
