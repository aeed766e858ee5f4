"""Passes sold: held while somebody pays, paid, or given up. All of its places are taken, or none.

The places of a pass are orders of their own, one for each date, which bear its id (`paid_by`) and go from state to
state with it: so the door, the box office and whoever gives money back know nothing of passes. Their ids follow from
the pass's and the event's. Locks: the pass, its plan, its orders, events by id, prices by id.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.cards.service import Card
from app.events import orders
from app.events.orders import Ask, Order
from app.events.rules import HOLD_US
from app.events.tables import event, ticket_order
from app.ledger.service import booked_among
from app.passes.plans import plan_named
from app.passes.rules import Plan, State, next_share, shares_of
from app.passes.tables import pass_date, pass_plan, pass_sale
from app.platform.clock import now_us
from app.platform.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from app.rules.ids import derived

# Open baskets of one wallet.
HELD_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class Sale:
    """`amount`: minor units of `currency`. `topup`: the one that brings what is missing."""

    id: UUID
    plan: UUID
    wallet: UUID
    card: UUID
    state: State
    hold_until_us: int
    currency: str
    amount: int
    topup: UUID | None
    made_at_us: int
    changed_at_us: int

    @property
    def owner(self) -> str:
        """The wallet's name in the ledger's accounts."""
        return f"wallet:{self.wallet}"


_OWN: Final = tuple(pass_sale.c[name] for name in Sale.__dataclass_fields__)


def place_of(sale: UUID, event: UUID) -> UUID:
    """The id of the order by which a pass has its place there."""
    return derived("pass-place", sale, event)


async def sales(connection: AsyncConnection, *where: sa.ColumnElement[bool]) -> list[Sale]:
    """The newest first."""
    query = sa.select(*_OWN).where(*where).order_by(pass_sale.c.made_at_us.desc(), pass_sale.c.id)
    return [Sale(**row._mapping) for row in await connection.execute(query)]


async def sales_of(connection: AsyncConnection, wallet: UUID) -> list[Sale]:
    return await sales(connection, pass_sale.c.wallet == wallet, pass_sale.c.state.in_(["paid", "closed"]))


async def given_back(connection: AsyncConnection, since_us: int) -> list[Sale]:
    """Those of which a place was given back since then."""
    places = sa.select(ticket_order.c.paid_by).where(
        ticket_order.c.paid_by.is_not(None),
        ticket_order.c.state == "refunded",
        ticket_order.c.changed_at_us >= since_us,
    )
    return await sales(connection, pass_sale.c.id.in_(places))


async def over(connection: AsyncConnection, ended_by_us: int) -> list[Sale]:
    """Subscriptions all of whose dates had ended by then, which are not closed."""
    later = sa.select(pass_date.c.plan).join(event, event.c.id == pass_date.c.event)
    done = sa.select(pass_plan.c.id).where(
        pass_plan.c.kind == "subscription", pass_plan.c.id.not_in(later.where(event.c.ends_at_us > ended_by_us))
    )
    return await sales(connection, pass_sale.c.state == "paid", pass_sale.c.plan.in_(done))


async def sale_named(connection: AsyncConnection, id_: UUID, *, locked: bool = False) -> Sale:
    if locked:
        row = sa.select(pass_sale.c.id).where(pass_sale.c.id == id_)
        await connection.execute(row.with_for_update(key_share=True))
    found = await sales(connection, pass_sale.c.id == id_)
    if not found:
        raise NotFound("There is no such pass.")
    return found[0]


async def hold(engine: AsyncEngine, plan: UUID, card: Card, id_: UUID) -> Sale:
    """One, with a place at each of its dates (a subscription's are chosen later). The same id again is the same.

    Raises what `orders.hold` raises (then no place is held anywhere), Conflict("pass-over"), Conflict("sold-out"),
    Forbidden("card-blocked"), and Invalid("idempotency-key-reused") where the id is taken by other content.
    """
    try:
        async with engine.begin() as connection:
            return await _hold(connection, plan, card, id_)
    except sa.exc.IntegrityError:
        # The same form came twice at once: it is one pass.
        async with engine.connect() as connection:
            return _same(await sale_named(connection, id_), plan, card)


async def _hold(connection: AsyncConnection, named: UUID, card: Card, id_: UUID) -> Sale:
    known = await sales(connection, pass_sale.c.id == id_)
    if known:
        return _same(known[0], named, card)
    plan, now = await plan_named(connection, named, locked=True), now_us()
    if not plan.on_sale(now):
        raise Conflict("This pass is sold no more.", "pass-over")
    if card.status != "active":
        raise Forbidden("This card is blocked.", "card-blocked")
    if plan.left == 0:
        raise Conflict("There are none left.", "sold-out", left=0)
    mine = await sales(connection, pass_sale.c.wallet == card.wallet, pass_sale.c.state == "held")
    if sum(it.hold_until_us > now for it in mine) >= HELD_MAX:
        raise Conflict("Places are kept for you already.", "too-many-held")
    if await booked_among(connection, [id_]):
        raise _reused()
    new = Sale(id_, plan.id, card.wallet, card.id, "held", now + HOLD_US, plan.currency, plan.amount, None, now, now)
    await connection.execute(sa.insert(pass_sale).values({it: getattr(new, it) for it in Sale.__dataclass_fields__}))
    await _count(connection, plan.id, held=1)
    if plan.kind == "pass":
        for made in await orders.hold_in(connection, _asks(plan, card, id_)):
            if isinstance(made, DomainError):
                raise made
            _require_currency(made, plan)
    return new


async def start_paying(engine: AsyncEngine, it: Sale) -> bool:
    """Whether it is now to be booked by whoever asks: it was held, and stays until the ledger has spoken."""
    async with engine.begin() as connection:
        if not await _moved(connection, it.id, "held", "paying"):
            return False
        await orders.start_paying_all(connection, await orders.orders_paid_by(connection, [it.id]))
        return True


async def mark_paid(engine: AsyncEngine, it: Sale) -> bool:
    async with engine.begin() as connection:
        if not await _moved(connection, it.id, "paying", "paid"):
            return False
        await _count(connection, it.plan, held=-1, sold=1)
        return True


async def release(engine: AsyncEngine, it: Sale, *, refused: bool = False) -> bool:
    """Its places are others'. `refused`: the ledger said that it will never book it; else only what is held goes."""
    before: State = "paying" if refused else "held"
    async with engine.begin() as connection:
        if not await _moved(connection, it.id, before, "released"):
            return False
        await _count(connection, it.plan, held=-1)
        mine = await orders.orders_paid_by(connection, [it.id])
        await orders.release_in(connection, mine, "paying" if refused else "held")
        return True


async def choose(engine: AsyncEngine, sale: UUID, card: Card, at: UUID) -> Order:
    """A place of a subscription, at one of its dates. The same again is the same place. To be paid at once.

    Raises Conflict("pass-used-up", "sold-out", "not-on-sale"), Forbidden("card-blocked"), NotFound.
    """
    async with engine.begin() as connection:
        it = await sale_named(connection, sale, locked=True)
        plan = await plan_named(connection, it.plan)
        date = plan.date(at)
        if (
            it.wallet != card.wallet
            or it.state not in {"paid", "closed"}
            or plan.kind != "subscription"
            or date is None
        ):
            raise NotFound("There is no such pass.")
        chosen = [one for one in await orders.orders_paid_by(connection, [sale]) if one.state != "released"]
        known = next((one for one in chosen if one.event == at), None)
        if known is not None:
            return known
        if it.state == "closed" or len(chosen) >= plan.places:
            raise Conflict("All of its places are chosen.", "pass-used-up")
        share = next_share(it.amount, plan.places, [one.amount for one in chosen])
        wanted, id_ = {date.price: 1}, place_of(sale, at)
        ask = Ask(id_, at, card, wanted, paying=True, paid_by=sale, share=share)
        (made,) = await orders.hold_in(connection, [ask])
        if isinstance(made, DomainError):
            raise made
        _require_currency(made, plan)
        return made


async def link_topup(engine: AsyncEngine, it: Sale, topup: UUID, hold_until_us: int) -> bool:
    """What is missing for it is being paid: its places stay until then. Whether they are held still."""
    where = (pass_sale.c.id == it.id, pass_sale.c.state == "held")
    async with engine.begin() as connection:
        change = sa.update(pass_sale).where(*where).values(topup=topup, hold_until_us=hold_until_us)
        return bool((await connection.execute(change)).rowcount)


async def unlink_topup(engine: AsyncEngine, it: Sale) -> None:
    """Nothing more is waited for."""
    async with engine.begin() as connection:
        await connection.execute(sa.update(pass_sale).where(pass_sale.c.id == it.id).values(topup=None))


async def close(engine: AsyncEngine, it: Sale) -> bool:
    async with engine.begin() as connection:
        return await _moved(connection, it.id, "paid", "closed")


def _asks(plan: Plan, card: Card, sale: UUID) -> list[Ask]:
    parts = shares_of(plan)
    return [
        Ask(place_of(sale, it.event), it.event, card, {it.price: 1}, paid_by=sale, share=parts[it.event])
        for it in plan.dates
    ]


def _require_currency(made: Order, plan: Plan) -> None:
    if made.currency != plan.currency:
        raise Conflict("One of its dates is sold for other money now.", "not-on-sale")


def _same(known: Sale, plan: UUID, card: Card) -> Sale:
    if (known.plan, known.wallet) != (plan, card.wallet):
        raise _reused()
    return known


def _reused() -> Invalid:
    return Invalid("This id was used for other content.", "idempotency-key-reused")


async def _count(connection: AsyncConnection, plan: UUID, *, held: int = 0, sold: int = 0) -> None:
    values: dict[str, Any] = {"held": pass_plan.c.held + held, "sold": pass_plan.c.sold + sold}
    await connection.execute(sa.update(pass_plan).where(pass_plan.c.id == plan).values(values))


async def _moved(connection: AsyncConnection, id_: UUID, before: State, after: State) -> bool:
    """Whether it was in that state, and we are who changed it."""
    change = sa.update(pass_sale).where(pass_sale.c.id == id_, pass_sale.c.state == before)
    return bool((await connection.execute(change.values(state=after, changed_at_us=now_us()))).rowcount)
