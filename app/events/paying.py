"""An order is paid from its wallet, or from what was set aside for the pass that it belongs to, into the claim of the
event's venue, under its own id; then its tickets are issued.

Whoever dies between the two leaves the order paying: the rounds (`tend`) ask the ledger what became of it. Asking, they
have it refuse the operation from then on, so what it says stays true.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from uuid import UUID

import structlog

from app.cards.service import balances, wallet_key
from app.currencies.service import Currency, currencies, rates
from app.events import orders
from app.events.orders import Order
from app.events.rules import Event
from app.events.service import events
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posted, Posting, Refused, Tombstone
from app.ledger.service import REFUSALS, Ledger, currency_book, posted
from app.platform.clock import now_us
from app.platform.errors import Conflict, DomainError
from app.venues.service import Venue, venues

_log = structlog.get_logger("comptoir.events")

KIND = "ticket"
PASSES = "pass:"
EVERY_S = 5.0
# Whoever pays has long been told by then, or is gone.
PAYING_MAX_US = 30 * 1_000_000


async def pay(ledger: Ledger, it: Order) -> Order:
    """Book it and issue its tickets; as often as anyone likes.

    Raises DomainError("insufficient-funds") with `missing` in minor units (what is held stays held), Conflict
    ("order-over"), and what the ledger raises: then nobody knows yet, and the rounds will.
    """
    if it.state == "paid":
        return it
    if it.state == "held":
        if it.amount and (missing := await missing_for(ledger, it)):
            raise DomainError("insufficient-funds", REFUSALS["insufficient-funds"], missing=missing)
        if not await orders.start_paying(ledger.engine, it):
            return await _what_became(ledger, it)
    elif it.state != "paying":
        raise _over()
    (done,) = await pay_many(ledger, [replace(it, state="paying")])
    if isinstance(done, Exception):
        raise done
    return done


async def pay_many(ledger: Ledger, several: Sequence[Order]) -> list[Order | DomainError]:
    """Of orders that are paying: booked in one go, and issued together."""
    priced = [it for it in several if it.amount]
    refused: dict[UUID, DomainError] = {}
    if priced:
        outcomes = await ledger.post(await operations_of(ledger, priced))
        for it, outcome in zip(priced, outcomes, strict=True):
            try:
                posted(outcome)
            except DomainError as error:
                refused[it.id] = error
                if isinstance(outcome, Refused):
                    await orders.release(ledger.engine, it, refused=True)
    good = [it for it in several if it.id not in refused]
    issued = await orders.issue_many(ledger.engine, good) if good else set()
    found: list[Order | DomainError] = []
    for it in several:
        if it.id in refused:
            found.append(refused[it.id])
        elif it.id in issued:
            found.append(replace(it, state="paid"))
        else:
            try:
                found.append(await _what_became(ledger, it))
            except DomainError as error:
                found.append(error)
    return found


async def missing_for(ledger: Ledger, it: Order) -> int:
    """What the wallet does not hold of it, in minor units: what is set aside on it is not counted."""
    async with ledger.reader.connect() as connection:
        known = await currencies(connection)
    held = (await balances(ledger, it.owner, known))[it.currency]
    return max(0, it.amount - max(0, held))


async def operations_of(ledger: Ledger, several: Sequence[Order]) -> list[Operation]:
    """W (or what is set aside for its pass) / the venue's claim, of each. Made of the order alone, so that each is the
    same whenever it is made."""
    async with ledger.reader.connect() as connection:
        at = await events(connection, ids={it.event for it in several})
        known, there = await currencies(connection), await venues(connection)
        keys: list[AccountKey] = []
        for it in several:
            currency, venue = known[it.currency], there[at[it.event].venue]
            claim = AccountKey(currency_book(currency.issuer, currency.code), "claim", venue.owner)
            payer = wallet_key(it.owner, currency) if it.paid_by is None else pass_key(it.paid_by, currency)
            keys += [payer, claim]
        numbers = await ledger.accounts(keys, rates(known), connection)
    return [
        _operation(it, at[it.event], there[at[it.event].venue], numbers[2 * n], numbers[2 * n + 1])
        for n, it in enumerate(several)
    ]


def pass_key(of: UUID, currency: Currency) -> AccountKey:
    """Where the money of a pass waits for the places that it pays."""
    return AccountKey(currency_book(currency.issuer, currency.code), "fund", f"{PASSES}{of}")


def _operation(it: Order, at: Event, venue: Venue, wallet: int, claim: int) -> Operation:
    lines = []
    for line in it.lines:
        price = at.price(line.price)
        lines.append(
            {
                "price": str(line.price),
                "name": f"{at.title_fr} · {price.name_fr}" if price else at.title_fr,
                "quantity": line.quantity,
                "unit_price": line.amount // line.quantity,
                "currency": it.currency,
                "vat": price.vat if price else 0,
            }
        )
    asked = [KIND, str(it.event), str(it.wallet), it.currency, it.amount]
    return Operation(
        id=it.id,
        kind=KIND,
        fingerprint=sha256(json.dumps(asked).encode()).digest(),
        postings=(Posting(wallet, claim, it.amount),),
        actor=it.owner if it.channel == "online" else it.channel,
        occurred_at_us=it.made_at_us,
        business_day=venue.day_of(it.made_at_us),
        venue=venue.id,
        details=json.dumps({"event": str(it.event), "channel": it.channel, "lines": lines}, ensure_ascii=False),
    )


async def tend(ledger: Ledger, now: int | None = None) -> int:
    """One round over what nobody finished: how many orders came to an end. What is held beyond its time is released;
    of what is paying, the ledger says whether it was booked, and will not book it later."""
    now = now_us() if now is None else now
    async with ledger.reader.connect() as connection:
        late = await orders.open_orders(connection, expired_by_us=now, paying_since_us=now - PAYING_MAX_US)
    ended = 0
    for it in late:
        try:
            ended += await _finish(ledger, it)
        except Exception:
            _log.exception("order not finished", order=str(it.id))
    return ended


async def _finish(ledger: Ledger, it: Order) -> bool:
    if it.state == "held":
        return await orders.release(ledger.engine, it)
    if not it.amount:
        return await orders.issue(ledger.engine, it)
    (outcome,) = await ledger.post([Tombstone(it.id, "server", json.dumps({"event": str(it.event)}))])
    if isinstance(outcome, Posted):
        return await orders.issue(ledger.engine, it)
    return isinstance(outcome, Refused) and await orders.release(ledger.engine, it, refused=True)


async def tend_for_ever(ledger: Ledger, every_s: float = EVERY_S) -> None:
    """Again and again, until cancelled. What goes wrong is logged and tried the next time."""
    while True:
        try:
            await tend(ledger)
        except Exception:
            _log.exception("orders could not be looked after")
        await asyncio.sleep(every_s)


async def _what_became(ledger: Ledger, it: Order) -> Order:
    async with ledger.reader.connect() as connection:
        now = await orders.order_named(connection, it.id)
    if now.state == "released":
        raise _over()
    return now


def _over() -> Conflict:
    return Conflict("The places are no longer kept for you.", "order-over")
