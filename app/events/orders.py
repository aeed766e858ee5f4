"""Orders: places held while a basket is open, paid from a wallet, and turned into tickets; exactly once.

held      its places are counted; nobody asked the ledger anything. It ends when its time is over, or is given up.
paying    the ledger may be about to book it, under the order's own id. Its places stay until the ledger has spoken:
          booked, it is issued; refused (and remembered as such, so that it can never be booked), it is released.
paid      booked, or free; its tickets are there.
released  its places are others'. Nothing was taken, and nothing will be.
refunded  what was paid is back where it came from, and its tickets no longer count (app/events/refunding.py).

Whoever changes a state does it with one statement that names the state before: of two, one does. Locks are taken in one
order everywhere: the order, the event, its prices by id.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.cards.service import Card
from app.events.had import places_held, places_limited
from app.events.rules import HOLD_US, PLACES_MAX, Condition, Event, OrderChannel, OrderState, sellable
from app.events.service import events
from app.events.tables import event, event_price, ticket, ticket_exchange, ticket_order, ticket_order_line
from app.ledger.service import booked_among
from app.platform.clock import now_us
from app.platform.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from app.rules.entitlement import NOTHING, Known, entitled
from app.rules.ids import uuid7


@dataclass(frozen=True, slots=True)
class Line:
    """`amount`: minor units, all of its places together."""

    price: UUID
    quantity: int
    amount: int


@dataclass(frozen=True, slots=True)
class Order:
    """`amount`: minor units of `currency`, all lines together. `topup`: the one that brings what is missing.
    `paid_by`: the pass whose money pays it. `guest`: the name that its tickets will bear."""

    id: UUID
    event: UUID
    wallet: UUID
    card: UUID | None
    channel: OrderChannel
    state: OrderState
    hold_until_us: int
    currency: str
    amount: int
    topup: UUID | None
    made_at_us: int
    changed_at_us: int
    lines: tuple[Line, ...] = ()
    paid_by: UUID | None = None
    guest: str | None = None

    @property
    def places(self) -> int:
        return sum(it.quantity for it in self.lines)

    @property
    def owner(self) -> str:
        """The wallet's name in the ledger's accounts."""
        return f"wallet:{self.wallet}"


_OWN: Final = tuple(ticket_order.c[name] for name in Order.__dataclass_fields__ if name != "lines")


async def order_named(connection: AsyncConnection, id_: UUID) -> Order:
    found = await _orders(connection, ticket_order.c.id == id_)
    if not found:
        raise NotFound("There is no such order.")
    return found[0]


async def orders_of(connection: AsyncConnection, wallet: UUID, states: Collection[OrderState]) -> list[Order]:
    """The newest first."""
    return await _orders(connection, ticket_order.c.wallet == wallet, ticket_order.c.state.in_(list(states)))


async def orders_paid_by(connection: AsyncConnection, passes: Collection[UUID]) -> list[Order]:
    """Those of these passes, whatever became of them."""
    return await _orders(connection, ticket_order.c.paid_by.in_(list(passes)))


async def orders_for(
    connection: AsyncConnection, of: UUID, states: Collection[OrderState], but: Collection[UUID] = ()
) -> list[Order]:
    """A portion of an event's, without those that are named."""
    mine = (ticket_order.c.event == of, ticket_order.c.state.in_(list(states)), ticket_order.c.id.not_in(list(but)))
    return await _orders(connection, *mine)


async def awaited(connection: AsyncConnection) -> list[Order]:
    """Those for which money is on its way, or was, and nobody looked yet what to do with it."""
    return await _orders(connection, ticket_order.c.topup.is_not(None), ticket_order.c.state.in_(["held", "released"]))


async def open_orders(
    connection: AsyncConnection, *, expired_by_us: int, paying_since_us: int, of_passes: bool = False
) -> list[Order]:
    """Those that somebody must look after: whose time was over by then, or that have been paying since before then.
    What belongs to a pass is looked after with it (`of_passes`), and what a ticket is exchanged for with that."""
    late = sa.or_(
        sa.and_(ticket_order.c.state == "held", ticket_order.c.hold_until_us <= expired_by_us),
        sa.and_(ticket_order.c.state == "paying", ticket_order.c.changed_at_us <= paying_since_us),
    )
    mine = ticket_order.c.paid_by.is_not(None) if of_passes else ticket_order.c.paid_by.is_(None)
    exchanged = ticket_order.c.id.in_(sa.select(ticket_exchange.c.order_id))
    return await _orders(connection, ticket_order.c.state.in_(["held", "paying"]), late, mine, sa.not_(exchanged))


@dataclass(frozen=True, slots=True)
class Ask:
    """Places wanted: how many at which price. `id`: made by whoever asks, so that the same asked twice is one order.
    `known`: what the network knows of them; `entitled`: conditions that the seller vouches for. `paying`: at once.
    `paid_by`: the pass that it belongs to, and `share`: what of its money is for this place, in minor units.
    `first`: for who is first in the waiting list, whose places the others cannot have.
    `guest`: the name that the tickets will bear."""

    id: UUID
    event: UUID
    card: Card
    wanted: Mapping[UUID, int]
    channel: OrderChannel = "online"
    paying: bool = False
    entitled: Collection[Condition] = ()
    known: Known = NOTHING
    paid_by: UUID | None = None
    share: int = 0
    hold_us: int = HOLD_US
    first: bool = False
    guest: str | None = None


async def hold(engine: AsyncEngine, ask: Ask) -> Order:
    """Places set aside for a card's wallet. The same id with the same places is the same order.

    Raises Conflict("sold-out", "not-on-sale", "too-many-held", "price-had"), Forbidden("card-blocked",
    "price-for-others"), NotFound, Invalid, and Invalid("idempotency-key-reused") where the id is taken by others.
    """
    (made,) = await hold_many(engine, [ask])
    if isinstance(made, DomainError):
        raise made
    return made


async def hold_many(engine: AsyncEngine, asks: Sequence[Ask]) -> list[Order | DomainError]:
    """The same of many at once, in their order, in one transaction: when a sale opens, they do not wait for each other
    one by one. What is refused spoils nothing for the others."""
    try:
        return await _hold_many(engine, asks)
    except sa.exc.IntegrityError:
        if len(asks) == 1:
            return [_reused()]
        # One of the ids was taken meanwhile: whose it was is told so, and the others have their places.
        return [(await hold_many(engine, [it]))[0] for it in asks]


async def _hold_many(engine: AsyncEngine, asks: Sequence[Ask]) -> list[Order | DomainError]:
    async with engine.begin() as connection:
        return await hold_in(connection, asks)


async def hold_in(connection: AsyncConnection, asks: Sequence[Ask]) -> list[Order | DomainError]:
    """The same within the caller's transaction, which may yet undo it."""
    ids, events_asked = {it.id for it in asks}, {it.event for it in asks}
    found: list[Order | DomainError] = []
    new: list[Order] = []
    # From here to the end, nobody else counts places of these events.
    held = sa.select(event.c.id).where(event.c.id.in_(events_asked)).order_by(event.c.id)
    await connection.execute(held.with_for_update(key_share=True))
    now, at = now_us(), await events(connection, ids=events_asked)
    desk = _Desk(
        at,
        {it.id: it for it in await _orders(connection, ticket_order.c.id.in_(ids))},
        # The id becomes an operation's: one that is in the ledger already could never be paid.
        set(await booked_among(connection, ids)),
        await places_held(connection, {it.card.wallet for it in asks}, now),
        await places_limited(connection, at, {it.card.wallet for it in asks}, now),
        now,
    )
    for ask in asks:
        known = desk.known.get(ask.id)
        try:
            made = desk.decide(ask)
        except DomainError as error:
            found.append(error)
            continue
        found.append(made)
        if known is None:
            new.append(made)
    if new:
        await _write(connection, new)
    return found


class _Desk:
    """What is decided on: places that are left, counted down from one ask to the next."""

    def __init__(
        self,
        at: Mapping[UUID, Event],
        known: dict[UUID, Order],
        booked: Collection[UUID],
        held_by: Mapping[UUID, int],
        had: Mapping[tuple[UUID, UUID], int],
        now: int,
    ) -> None:
        self.known, self._at, self._booked, self._now = known, at, booked, now
        self._held_by, self._had = dict(held_by), dict(had)
        self._left = {it.id: it.left for it in at.values()}
        self._left_at = {price.id: price.left for it in at.values() for price in it.prices}

    def decide(self, ask: Ask) -> Order:
        """A new order, or the one that is known. Raises DomainError."""
        known = self.known.get(ask.id)
        if known is not None:
            return _same(known, ask)
        at = self._at.get(ask.event)
        if at is None or at.status == "draft":
            raise NotFound("There is no such event.")
        lines = _priced(at, ask)
        if ask.card.status != "active":
            raise Forbidden("This card is blocked.", "card-blocked")
        _require_sold(at, lines, ask, self._now)
        if ask.id in self._booked:
            raise _reused()
        places, wallet = sum(it.quantity for it in lines), ask.card.wallet
        here = self._left[at.id] - (0 if ask.first else at.promised)
        if places > here or any(self._short(it) or self._promised(at, it, ask) for it in lines):
            raise Conflict("There are not that many places left.", "sold-out", left=max(0, here))
        if not ask.paying and self._held_by.get(wallet, 0) + places > PLACES_MAX:
            raise Conflict("Places are kept for you already.", "too-many-held")
        if ask.paid_by is None:
            self._count_for(wallet, at, lines)
        self._left[at.id] -= places
        for it in lines:
            left = self._left_at[it.price]
            self._left_at[it.price] = None if left is None else left - it.quantity
        if not ask.paying:
            self._held_by[wallet] = self._held_by.get(wallet, 0) + places
        made = Order(
            ask.id,
            at.id,
            wallet,
            ask.card.id,
            ask.channel,
            "paying" if ask.paying else "held",
            self._now + ask.hold_us,
            _currency(at, lines),
            sum(it.amount for it in lines),
            None,
            self._now,
            self._now,
            lines,
            ask.paid_by,
            ask.guest,
        )
        self.known[made.id] = made
        return made

    def _count_for(self, wallet: UUID, at: Event, lines: Collection[Line]) -> None:
        """Of prices of which one wallet has only so many places. Raises Conflict("price-had")."""
        counted = {}
        for it in lines:
            price = at.price(it.price)
            if price is not None and price.per_wallet is not None:
                counted[wallet, it.price] = self._had.get((wallet, it.price), 0) + it.quantity
                if counted[wallet, it.price] > price.per_wallet:
                    raise Conflict("One card has no more places at this price.", "price-had", most=price.per_wallet)
        self._had |= counted

    def _promised(self, at: Event, line: Line, ask: Ask) -> bool:
        """Whether somebody waits for places at this price, who comes first."""
        price = at.price(line.price)
        return not ask.first and price is not None and price.waiting > 0

    def _short(self, line: Line) -> bool:
        left = self._left_at[line.price]
        return left is not None and left < line.quantity


async def _write(connection: AsyncConnection, new: Sequence[Order]) -> None:
    rows = [{name: getattr(it, name) for name in Order.__dataclass_fields__ if name != "lines"} for it in new]
    await connection.execute(sa.insert(ticket_order), rows)
    lines = [
        {"order_id": it.id, "price": line.price, "quantity": line.quantity, "amount": line.amount}
        for it in new
        for line in it.lines
    ]
    await connection.execute(sa.insert(ticket_order_line), lines)
    for id_, places in _by_event(new):
        await connection.execute(sa.update(event).where(event.c.id == id_).values(held=event.c.held + places))
    for id_, places in _by_price(new):
        of = sa.update(event_price).where(event_price.c.id == id_)
        await connection.execute(of.values(held=event_price.c.held + places))


async def start_paying(engine: AsyncEngine, it: Order) -> bool:
    """Whether the order is now to be booked by whoever asks: it was held, and stays until the ledger has spoken."""
    async with engine.begin() as connection:
        return await _moved(connection, it.id, "held", "paying")


async def start_paying_all(connection: AsyncConnection, several: Sequence[Order]) -> None:
    """Of those that are held, in the caller's transaction."""
    mine = (ticket_order.c.id.in_([it.id for it in several]), ticket_order.c.state == "held")
    await connection.execute(sa.update(ticket_order).where(*mine).values(state="paying", changed_at_us=now_us()))


async def issue(engine: AsyncEngine, it: Order) -> bool:
    """Its tickets, once it was booked (or is free): whether this made them. As often as anyone likes."""
    return it.id in await issue_many(engine, [it])


async def issue_many(engine: AsyncEngine, several: Sequence[Order]) -> set[UUID]:
    """The same of several: those whose tickets this made."""
    now, rows = now_us(), list[dict[str, Any]]()
    async with engine.begin() as connection:
        mine = (ticket_order.c.id.in_([it.id for it in several]), ticket_order.c.state == "paying")
        change = sa.update(ticket_order).where(*mine).values(state="paid", changed_at_us=now)
        moved = set((await connection.execute(change.returning(ticket_order.c.id))).scalars())
        issued = [it for it in several if it.id in moved]
        for id_, places in _by_event(issued):
            left, come = event.c.held - places, event.c.sold + places
            counted = sa.update(event).where(event.c.id == id_)
            counted = counted.values(held=left, sold=come, issued=event.c.issued + places)
            serial = (await connection.execute(counted.returning(event.c.issued))).scalar_one() - places
            for it in issued:
                if it.event != id_:
                    continue
                common = {"order_id": it.id, "event": id_, "wallet": it.wallet, "state": "valid", "issued_at_us": now}
                common["name"] = it.guest
                for price in (line.price for line in it.lines for _ in range(line.quantity)):
                    serial += 1
                    rows.append({"id": uuid7(), "price": price, "serial": serial, **common})
        for id_, places in _by_price(issued):
            of = sa.update(event_price).where(event_price.c.id == id_)
            await connection.execute(of.values(held=event_price.c.held - places, sold=event_price.c.sold + places))
        if rows:
            await connection.execute(sa.insert(ticket), rows)
    return moved


async def release(engine: AsyncEngine, it: Order, *, refused: bool = False) -> bool:
    """Its places are others': whether this gave them back. `refused`: the ledger said that it will never book it; else
    only what is held is released, for what is paying may be booked at any moment."""
    async with engine.begin() as connection:
        return bool(await release_in(connection, [it], "paying" if refused else "held"))


async def release_in(connection: AsyncConnection, several: Sequence[Order], before: OrderState) -> set[UUID]:
    """The same of those that are in this state, in the caller's transaction: which."""
    mine = (ticket_order.c.id.in_([it.id for it in several]), ticket_order.c.state == before)
    change = sa.update(ticket_order).where(*mine).values(state="released", changed_at_us=now_us())
    moved = set((await connection.execute(change.returning(ticket_order.c.id))).scalars())
    gone = [it for it in several if it.id in moved]
    for id_, places in _by_event(gone):
        await connection.execute(sa.update(event).where(event.c.id == id_).values(held=event.c.held - places))
    for id_, places in _by_price(gone):
        of = sa.update(event_price).where(event_price.c.id == id_)
        await connection.execute(of.values(held=event_price.c.held - places))
    return moved


async def link_topup(engine: AsyncEngine, it: Order, topup: UUID, hold_until_us: int) -> bool:
    """What is missing for it is being paid: its places stay until then. Whether they are held still."""
    async with engine.begin() as connection:
        where = (ticket_order.c.id == it.id, ticket_order.c.state == "held")
        values = {"topup": topup, "hold_until_us": hold_until_us}
        return bool((await connection.execute(sa.update(ticket_order).where(*where).values(values))).rowcount)


async def unlink_topup(engine: AsyncEngine, it: Order) -> None:
    """Nothing more is waited for."""
    async with engine.begin() as connection:
        await connection.execute(sa.update(ticket_order).where(ticket_order.c.id == it.id).values(topup=None))


async def carry_topup(engine: AsyncEngine, it: Order, to: Order) -> None:
    """Its money paid another order, which took its place; once, whoever comes first."""
    async with engine.begin() as connection:
        mine = (ticket_order.c.id == it.id, ticket_order.c.topup == it.topup)
        if (await connection.execute(sa.update(ticket_order).where(*mine).values(topup=None))).rowcount:
            new = (ticket_order.c.id == to.id, ticket_order.c.topup.is_(None))
            await connection.execute(sa.update(ticket_order).where(*new).values(topup=it.topup))


def _priced(at: Event, ask: Ask) -> tuple[Line, ...]:
    lines = []
    for id_, quantity in ask.wanted.items():
        price = at.price(id_)
        if price is None:
            raise NotFound("There is no such price.")
        if quantity:
            lines.append(Line(id_, quantity, quantity * price.amount if ask.paid_by is None else ask.share))
    if not lines or any(it.quantity < 0 for it in lines):
        raise Invalid("Choose at least one place.")
    if sum(it.quantity for it in lines) > PLACES_MAX:
        raise Invalid(f"At most {PLACES_MAX} places are ordered at once.")
    return tuple(lines)


def _currency(at: Event, lines: Collection[Line]) -> str:
    found = {price.currency for it in lines if (price := at.price(it.price)) is not None}
    if len(found) != 1:
        raise Invalid("One order is paid in one currency: order the others apart.")
    return found.pop()


def _require_sold(at: Event, lines: Collection[Line], ask: Ask, now: int) -> None:
    if ask.paid_by is not None:
        # A pass has its own time of sale, and says itself at which price its places count.
        if at.standing(now) in {"draft", "cancelled", "past"}:
            raise Conflict("These places are not sold now.", "not-on-sale")
        return
    for it in lines:
        price = at.price(it.price)
        if price is None or not sellable(at, price, ask.channel, now):
            raise Conflict("These places are not sold now.", "not-on-sale")
        if price.condition not in ask.entitled and not entitled(price.condition, price.least, ask.known):
            raise Forbidden("This price is for others.", "price-for-others")


def _same(known: Order, ask: Ask) -> Order:
    asked = (ask.event, ask.card.wallet, ask.channel, sorted((id_, many) for id_, many in ask.wanted.items() if many))
    if asked != (known.event, known.wallet, known.channel, sorted((it.price, it.quantity) for it in known.lines)):
        raise _reused()
    return known


def _reused() -> Invalid:
    return Invalid("This id was used for other content.", "idempotency-key-reused")


def _by_event(several: Iterable[Order]) -> list[tuple[UUID, int]]:
    """(event, places), in the order in which rows are locked."""
    found: dict[UUID, int] = {}
    for it in several:
        found[it.event] = found.get(it.event, 0) + it.places
    return sorted(found.items())


def _by_price(several: Iterable[Order]) -> list[tuple[UUID, int]]:
    """(price, places), in the order in which rows are locked."""
    found: dict[UUID, int] = {}
    for line in (line for it in several for line in it.lines):
        found[line.price] = found.get(line.price, 0) + line.quantity
    return sorted(found.items())


async def _moved(connection: AsyncConnection, id_: UUID, before: OrderState, after: OrderState) -> bool:
    """Whether it was in that state, and we are who changed it."""
    change = sa.update(ticket_order).where(ticket_order.c.id == id_, ticket_order.c.state == before)
    return bool((await connection.execute(change.values(state=after, changed_at_us=now_us()))).rowcount)


async def _orders(connection: AsyncConnection, *where: sa.ColumnElement[bool]) -> list[Order]:
    query = sa.select(*_OWN).where(*where).order_by(ticket_order.c.made_at_us.desc(), ticket_order.c.id).limit(500)
    rows: list[Any] = list(await connection.execute(query))
    if not rows:
        return []
    lines: dict[UUID, list[Line]] = {}
    of = sa.select(ticket_order_line).where(ticket_order_line.c.order_id.in_([row.id for row in rows]))
    for row in await connection.execute(of.order_by(ticket_order_line.c.price)):
        lines.setdefault(row.order_id, []).append(Line(row.price, row.quantity, row.amount))
    return [Order(**row._mapping, lines=tuple(lines.get(row.id, ()))) for row in rows]
