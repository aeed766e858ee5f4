"""The waiting list: who stands in line for places of an event, and the offers they get.

waiting   their places are counted on the price, and nobody who comes later can have them first.
offered   places are held for them, by an order of their own; the rounds see what becomes of it.
taken     they have their tickets.
missed    they did not take them in time, or could not have them any more; whoever still wants some joins again.
left      they went.

An offer is one transaction: the places, the entry and the message, under the lock of the event. So of two rounds at
once one makes it, and a server that dies has made it or has not.

Errors:
    Conflict("places-free")             there are that many places: they are bought and not waited for
    Conflict("not-on-sale")             this price is not sold now
    Forbidden("card-blocked")
    Invalid                             no such number of places
    NotFound
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.cards.service import Card
from app.events import orders
from app.events.rules import Event, sellable
from app.events.service import event_named
from app.events.tables import event, event_price, ticket_order
from app.guests.rules import WAIT_MAX, State, Waiting
from app.guests.tables import waiting_place
from app.platform.clock import now_us
from app.platform.errors import Conflict, Forbidden, Invalid, NotFound
from app.rules.ids import uuid7

_OWN: Final = tuple(waiting_place.c[name] for name in Waiting.__dataclass_fields__)
OPEN: Final[tuple[State, ...]] = ("waiting", "offered")


@dataclass(frozen=True, slots=True)
class Wish:
    """Places wanted at one price. `email`: where to tell; None: on the card's pages alone."""

    price: UUID
    places: int
    email: str | None = None
    language: Literal["fr", "en"] = "fr"


async def line_of(
    connection: AsyncConnection, of: UUID, states: Collection[State] = OPEN, wallet: UUID | None = None
) -> list[Waiting]:
    """Those of an event, in their turn."""
    query = sa.select(*_OWN).where(waiting_place.c.event == of, waiting_place.c.state.in_(list(states)))
    if wallet is not None:
        query = query.where(waiting_place.c.wallet == wallet)
    rows = await connection.execute(query.order_by(waiting_place.c.turn))
    return [Waiting(**row._mapping) for row in rows]


async def place_in_line(connection: AsyncConnection, of: UUID, wallet: UUID) -> Waiting | None:
    """Where a wallet stands there, whether it waits or has an offer."""
    found = await line_of(connection, of, wallet=wallet)
    return found[0] if found else None


async def offers_to(connection: AsyncConnection, wallet: UUID) -> list[Waiting]:
    """What is kept for a wallet now, whatever the event."""
    kept = waiting_place.join(ticket_order, ticket_order.c.id == waiting_place.c.order_id)
    query = sa.select(*_OWN).select_from(kept).where(waiting_place.c.wallet == wallet)
    query = query.where(waiting_place.c.state == "offered", ticket_order.c.state == "held")
    rows = await connection.execute(query.order_by(waiting_place.c.turn))
    return [Waiting(**row._mapping) for row in rows]


async def before(connection: AsyncConnection, it: Waiting) -> int:
    """How many stand before it, waiting."""
    ahead = (waiting_place.c.event == it.event, waiting_place.c.state == "waiting", waiting_place.c.turn < it.turn)
    found: int = (await connection.execute(sa.select(sa.func.count()).where(*ahead))).scalar_one()
    return found


async def join(engine: AsyncEngine, of: UUID, card: Card, wish: Wish) -> Waiting:
    """Stand in line, at its end. Who stands there already stays where they are; another number of places, price or
    address is another wish, at the end of the line."""
    if not 0 < wish.places <= WAIT_MAX:
        raise Invalid(f"One waits for at most {WAIT_MAX} places.")
    if card.status != "active":
        raise Forbidden("This card is blocked.", "card-blocked")
    now = now_us()
    async with engine.begin() as connection:
        at = await _locked(connection, of)
        price = at.price(wish.price)
        if at.status == "draft" or price is None:
            raise NotFound("There is no such price.")
        known = await place_in_line(connection, of, card.wallet)
        if known is not None:
            if known.state == "offered" or _same(known, wish):
                return known
            await _end(connection, known, "left")
            at = await event_named(connection, of)
            price = at.price(wish.price) or price
        if not sellable(at, price, "online", now):
            raise Conflict("These places are not sold now.", "not-on-sale")
        if wish.places <= at.left_at(price):
            raise Conflict("There are places: they are bought, not waited for.", "places-free")
        last = sa.select(sa.func.coalesce(sa.func.max(waiting_place.c.turn), 0)).where(waiting_place.c.event == of)
        turn = (await connection.execute(last)).scalar_one() + 1
        new = Waiting(
            uuid7(),
            of,
            price.id,
            card.wallet,
            wish.places,
            turn,
            "waiting",
            None,
            wish.email,
            wish.language,
            now,
            now,
        )
        row = {name: getattr(new, name) for name in Waiting.__dataclass_fields__}
        await connection.execute(sa.insert(waiting_place).values(row))
        await _count(connection, price.id, wish.places)
    return new


async def leave(engine: AsyncEngine, it: Waiting) -> None:
    """Go; what was kept is the next one's. Again changes nothing, and who has paid has their places."""
    if it.order_id is not None:
        async with engine.connect() as connection:
            order = await orders.order_named(connection, it.order_id)
        await orders.release(engine, order)
    async with engine.begin() as connection:
        await _locked(connection, it.event)
        now = next((one for one in await line_of(connection, it.event) if one.id == it.id), None)
        # What was offered meanwhile stays kept until its time is over, or the next time they go.
        if now is not None and now.order_id == it.order_id and not await _paid(connection, now):
            await _end(connection, now, "left")


async def waiting_named(connection: AsyncConnection, id_: UUID) -> Waiting:
    row = (await connection.execute(sa.select(*_OWN).where(waiting_place.c.id == id_))).one_or_none()
    if row is None:
        raise NotFound("There is no such place in line.")
    return Waiting(**row._mapping)


async def offer_in(connection: AsyncConnection, it: Waiting, order: UUID) -> None:
    """It has its places, in the caller's transaction; the address has done its work."""
    change = sa.update(waiting_place).where(waiting_place.c.id == it.id, waiting_place.c.state == "waiting")
    await connection.execute(change.values(state="offered", order_id=order, email=None, changed_at_us=now_us()))
    await _count(connection, it.price, -it.places)


async def end_in(connection: AsyncConnection, it: Waiting, state: State) -> None:
    """It is over, in the caller's transaction, which has locked the event."""
    await _end(connection, it, state)


async def lock(connection: AsyncConnection, of: UUID) -> tuple[Event, list[Waiting]]:
    """An event and its line, as they are until the end of this transaction."""
    at = await _locked(connection, of)
    return at, await line_of(connection, of)


async def awaited_events(connection: AsyncConnection) -> Sequence[UUID]:
    """Those somebody waits for, or has an offer of."""
    query = sa.select(waiting_place.c.event).where(waiting_place.c.state.in_(OPEN)).distinct()
    return (await connection.execute(query.order_by(waiting_place.c.event))).scalars().all()


async def _locked(connection: AsyncConnection, of: UUID) -> Event:
    await connection.execute(sa.select(event.c.id).where(event.c.id == of).with_for_update(key_share=True))
    return await event_named(connection, of)


async def _end(connection: AsyncConnection, it: Waiting, state: State) -> None:
    change = sa.update(waiting_place).where(waiting_place.c.id == it.id, waiting_place.c.state == it.state)
    ended = await connection.execute(change.values(state=state, email=None, changed_at_us=now_us()))
    if ended.rowcount and it.state == "waiting":
        await _count(connection, it.price, -it.places)


async def _count(connection: AsyncConnection, price: UUID, places: int) -> None:
    of = sa.update(event_price).where(event_price.c.id == price)
    await connection.execute(of.values(waiting=event_price.c.waiting + places))


async def _paid(connection: AsyncConnection, it: Waiting) -> bool:
    if it.order_id is None:
        return False
    return (await orders.order_named(connection, it.order_id)).state in {"paying", "paid"}


def _same(known: Waiting, wish: Wish) -> bool:
    return (known.price, known.places, known.email) == (wish.price, wish.places, wish.email)
