"""What a holder sees of a waiting list on the page of an event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.currencies.service import currencies
from app.events.orders import Order, order_named
from app.events.rules import Event, Price
from app.guests import waiting
from app.guests.rules import WAIT_MAX, Waiting


@dataclass(frozen=True, slots=True)
class Line:
    """`entry`: where the wallet stands; None: it does not wait. `order`: what is kept for it. `text`: what that costs.
    `prices`: what it may wait for. `mail`: whether somebody can be told by e-mail."""

    entry: Waiting | None
    order: Order | None
    price: Price | None
    text: str
    before: int
    prices: Sequence[Price]
    mail: bool
    most: int = WAIT_MAX


async def line_for(
    connection: AsyncConnection, at: Event, wallet: UUID, full: Sequence[Price], language: str, mail: bool
) -> Line:
    """`full`: prices at which the holder could buy if there were places."""
    entry, order, text = await waiting.place_in_line(connection, at.id, wallet), None, ""
    if entry is None:
        return Line(None, None, None, "", 0, full, mail)
    if entry.order_id is not None:
        order = await order_named(connection, entry.order_id)
        if order.state != "held":
            return Line(None, None, None, "", 0, full, mail)
        text = (await currencies(connection))[order.currency].text(order.amount, language)
    return Line(entry, order, at.price(entry.price), text, await waiting.before(connection, entry), (), mail)
