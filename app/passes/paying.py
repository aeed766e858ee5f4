"""A pass is paid by one operation: its money is set aside, W / fund "pass:<id>". From there each of its places is paid
as any order is, under the order's own id, into the claim of its event's venue (app/events/paying.py): that cannot be
refused, for the money is there, and whoever dies in between is finished by the rounds.

A pass's places are paid at once, a subscription's when each is chosen. The rounds: app/passes/tending.py.
"""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from typing import Final
from uuid import UUID

from app.cards.service import Card, balances, wallet_key
from app.currencies.service import currencies, rates
from app.events import orders
from app.events import paying as places
from app.events.orders import Order
from app.ledger.rules.operations import Operation, Posting, Refused
from app.ledger.service import REFUSALS, Ledger, posted
from app.passes import sales
from app.passes.plans import plan_named
from app.passes.rules import Plan
from app.passes.sales import Sale
from app.platform.errors import Conflict, DomainError
from app.venues.service import Venue, venues

KIND: Final = "pass"


async def pay(ledger: Ledger, it: Sale) -> Sale:
    """Set its money aside and issue its places; as often as anyone likes.

    Raises DomainError("insufficient-funds") with `missing` (what is held stays held), Conflict("order-over"), and what
    the ledger raises: then nobody knows yet, and the rounds will.
    """
    if it.state == "held":
        if missing := await missing_for(ledger, it):
            raise DomainError("insufficient-funds", REFUSALS["insufficient-funds"], missing=missing)
        if not await sales.start_paying(ledger.engine, it):
            it = await _now(ledger, it)
    if it.state == "released":
        raise Conflict("The places are no longer kept for you.", "order-over")
    if it.state in {"held", "paying"}:
        (outcome,) = await ledger.post([await _operation(ledger, it)])
        if isinstance(outcome, Refused):
            await sales.release(ledger.engine, it, refused=True)
        posted(outcome)
    return await settle(ledger, it)


async def settle(ledger: Ledger, it: Sale) -> Sale:
    """Its money is set aside: it is paid, and so are its places."""
    await sales.mark_paid(ledger.engine, it)
    async with ledger.reader.connect() as connection:
        mine = await orders.orders_paid_by(connection, [it.id])
    await pay_places(ledger, [one for one in mine if one.state == "paying"])
    return await _now(ledger, it)


async def choose(ledger: Ledger, sale: UUID, card: Card, event: UUID) -> Order:
    """As `sales.choose`, with its ticket."""
    made = await sales.choose(ledger.engine, sale, card, event)
    if made.state == "paying":
        await pay_places(ledger, [made])
        return replace(made, state="paid")
    return made


async def pay_places(ledger: Ledger, several: list[Order]) -> None:
    for outcome in await places.pay_many(ledger, several) if several else ():
        if isinstance(outcome, DomainError):
            raise outcome


async def missing_for(ledger: Ledger, it: Sale) -> int:
    """What the wallet does not hold of it, in minor units."""
    async with ledger.reader.connect() as connection:
        known = await currencies(connection)
    return max(0, it.amount - max(0, (await balances(ledger, it.owner, known))[it.currency]))


async def _operation(ledger: Ledger, it: Sale) -> Operation:
    """W / set aside. Made of the sale alone, so that it is the same whenever it is made."""
    async with ledger.reader.connect() as connection:
        plan, known = await plan_named(connection, it.plan), await currencies(connection)
        venue = (await venues(connection))[plan.venue]
    currency = known[it.currency]
    keys = [wallet_key(it.owner, currency), places.pass_key(it.id, currency)]
    wallet, fund = await ledger.accounts(keys, rates(known))
    return operation(it, plan, venue, it.id, KIND, Posting(wallet, fund, it.amount), it.made_at_us)


def operation(it: Sale, plan: Plan, venue: Venue, id_: UUID, kind: str, posting: Posting, at_us: int) -> Operation:
    """One of those by which the money of a pass moves, other than for its places."""
    asked = {"pass": str(it.id), "name": plan.name_fr, "amount": posting.amount, "currency": it.currency}
    return Operation(
        id=id_,
        kind=kind,
        fingerprint=sha256(json.dumps([kind, str(it.wallet), asked], sort_keys=True).encode()).digest(),
        postings=(posting,),
        actor=it.owner if kind == KIND else "server",
        occurred_at_us=at_us,
        business_day=venue.day_of(at_us),
        venue=venue.id,
        details=json.dumps(asked, ensure_ascii=False, separators=(",", ":")),
    )


async def _now(ledger: Ledger, it: Sale) -> Sale:
    async with ledger.reader.connect() as connection:
        return await sales.sale_named(connection, it.id)
