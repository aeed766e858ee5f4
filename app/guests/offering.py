"""The rounds over waiting lists: places that came free are offered in turn, and what became of offers is noted."""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID, uuid5

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.service import Card, cards_of_wallets
from app.events import orders
from app.events.orders import Ask, Order
from app.events.rules import Event, sellable
from app.events.service import event_named
from app.guests import waiting
from app.guests.letters import write
from app.guests.rules import State, Waiting, kept_until_us, next_served
from app.platform.clock import now_us
from app.platform.context import Context
from app.platform.errors import DomainError
from app.venues.service import Venue, venue_named

_log = structlog.get_logger("comptoir.guests")

EVERY_S: Final = 5.0
# What says that they may have them later: these wait on, and the next one is asked.
_LATER: Final = frozenset({"sold-out", "too-many-held"})


async def run_for_ever(context: Context, every_s: float = EVERY_S) -> None:
    """Again and again, until cancelled. What goes wrong is logged and tried the next time."""
    while True:
        try:
            await offer_all(context)
        except Exception:
            _log.exception("waiting lists could not be looked after")
        await asyncio.sleep(every_s)


async def offer_all(context: Context, now: int | None = None) -> int:
    """One round: how many offers were made."""
    async with context.reader.connect() as connection:
        found = await waiting.awaited_events(connection)
        due = [it for it in found if await _due(connection, it, now_us() if now is None else now)]
    made = 0
    for it in due:
        try:
            made += await offer(context, it, now)
        except Exception:
            _log.exception("waiting list not looked after", event=str(it))
    return made


async def offer(context: Context, of: UUID, now: int | None = None) -> int:
    """The round of one event."""
    now = now_us() if now is None else now
    async with context.engine.begin() as connection:
        at, line = await waiting.lock(connection, of)
        for it in line:
            if (state := await _became(connection, at, it, now)) is not None:
                await waiting.end_in(connection, it, state)
        at, line = await waiting.lock(connection, of)
        venue = await venue_named(connection, at.venue)
        return await _offer_in(context, connection, at, venue, [it for it in line if it.state == "waiting"], now)


async def _offer_in(
    context: Context, connection: AsyncConnection, at: Event, venue: Venue, line: list[Waiting], now: int
) -> int:
    made, line = 0, list(line)
    while (it := next(next_served(at, line), None)) is not None:
        line.remove(it)
        outcome = await _held(connection, at, it, kept_until_us(now, at.starts_at_us, venue.zone) - now)
        if isinstance(outcome, Order):
            await waiting.offer_in(connection, it, outcome.id)
            await write(context, connection, at, venue, it, outcome)
            made += 1
        elif outcome.code not in _LATER:
            await waiting.end_in(connection, it, "missed")
        at = await event_named(connection, at.id)
    return made


async def _held(connection: AsyncConnection, at: Event, it: Waiting, hold_us: int) -> Order | DomainError:
    price, card = at.price(it.price), await _card_of(connection, it.wallet)
    if price is None or card is None:
        return DomainError("card-blocked", "No card opens this wallet.")
    # Whether the price is theirs was asked when they joined.
    wanted, theirs = {it.price: it.places}, {price.condition}
    ask = Ask(uuid5(it.id, "offer"), at.id, card, wanted, entitled=theirs, hold_us=hold_us, first=True)
    (outcome,) = await orders.hold_in(connection, [ask])
    return outcome


async def _card_of(connection: AsyncConnection, wallet: UUID) -> Card | None:
    cards = (await cards_of_wallets(connection, [wallet])).get(wallet, [])
    return next((it for it in reversed(cards) if it.status == "active"), None)


async def _became(connection: AsyncConnection, at: Event, it: Waiting, now: int) -> State | None:
    """How it ended; None: it goes on."""
    if it.order_id is not None:
        state = (await orders.order_named(connection, it.order_id)).state
        if state in {"held", "paying"}:
            return None
        return "missed" if state == "released" else "taken"
    price = at.price(it.price)
    return None if price is not None and sellable(at, price, "online", now) else "missed"


async def _due(connection: AsyncConnection, of: UUID, now: int) -> bool:
    """Whether there is anything to do, before anybody is kept waiting for it."""
    at, line = await event_named(connection, of), await waiting.line_of(connection, of)
    if any(True for _ in next_served(at, [it for it in line if it.state == "waiting"])):
        return True
    for it in line:
        if await _became(connection, at, it, now) is not None:
            return True
    return False


async def offer_now(context: Context, of: UUID) -> None:
    """After somebody joined or left: there may be places for the next one. What goes wrong here, the rounds do."""
    try:
        await offer(context, of)
    except Exception:
        _log.exception("waiting list not looked after", event=str(of))
