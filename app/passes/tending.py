"""What passes need that nobody asks for: baskets given up, what a server that died left in between, money that came
back for a place, and what of a subscription nobody chose."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from dataclasses import replace
from typing import Final
from uuid import UUID

import structlog

from app.cards.service import overdraft_key, wallet_key
from app.currencies.service import currencies, rates
from app.events import orders
from app.events.orders import Order
from app.events.paying import KIND as TICKET
from app.events.paying import PASSES, PAYING_MAX_US, pass_key
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Posted, Posting, Refused, Tombstone
from app.ledger.service import Ledger, currency_book
from app.passes import sales
from app.passes.paying import operation, pay_places, settle
from app.passes.plans import dates_of, plan_named
from app.passes.sales import Sale
from app.passes.tables import pass_sale
from app.platform.clock import now_us
from app.rules.ids import derived
from app.venues.service import venues

_log = structlog.get_logger("comptoir.passes")

BACK: Final = "pass.back"
DAY_US: Final = 24 * 3600 * 1_000_000
# Whoever gives money back for a place has done so by then.
GIVEN_BACK_US: Final = 7 * DAY_US


async def tend(ledger: Ledger, now: int | None = None) -> int:
    """One round: how much came to an end."""
    now = now_us() if now is None else now
    async with ledger.reader.connect() as connection:
        unfinished = await sales.sales(connection, pass_sale.c.state.in_(["held", "paying"]))
        late = await orders.open_orders(
            connection, expired_by_us=0, paying_since_us=now - PAYING_MAX_US, of_passes=True
        )
        paid = await sales.sales(connection, pass_sale.c.id.in_({it.paid_by for it in late}))
        returned = await sales.given_back(connection, now - GIVEN_BACK_US)
        # Nobody chooses a date that is over, and whoever chose the last one has long been served.
        over = await sales.over(connection, now - DAY_US)
    standing = {it.id for it in paid if it.state in {"paid", "closed"}}
    work: list[tuple[UUID, Awaitable[bool]]] = [(it.id, _finish(ledger, it, now)) for it in unfinished]
    work += [(it.id, _finish_place(ledger, it)) for it in late if it.paid_by in standing]
    work += [(it.id, _send_on(ledger, it, now)) for it in returned]
    work += [(it.id, _close(ledger, it, now)) for it in over]
    ended = 0
    for id_, step in work:
        try:
            ended += await step
        except Exception:
            _log.exception("pass not finished", id=str(id_))
    return ended


async def set_aside(ledger: Ledger, it: Sale) -> int:
    """What of its money waits for its places."""
    rows = await ledger.balances(owners=[f"{PASSES}{it.id}"], kinds=["fund"])
    return sum(row.balance for row in rows)


async def _finish(ledger: Ledger, it: Sale, now: int) -> bool:
    if it.state == "held":
        return it.hold_until_us <= now and await sales.release(ledger.engine, it)
    if it.changed_at_us > now - PAYING_MAX_US:
        return False
    (outcome,) = await ledger.post([Tombstone(it.id, "server", json.dumps({"pass": str(it.id)}))])
    if isinstance(outcome, Posted):
        await settle(ledger, it)
        return True
    return isinstance(outcome, Refused) and await sales.release(ledger.engine, it, refused=True)


async def _finish_place(ledger: Ledger, it: Order) -> bool:
    await pay_places(ledger, [it])
    return True


async def _send_on(ledger: Ledger, it: Sale, now: int) -> bool:
    """What was given back for a place and lies where the place was paid from: to the holder's wallet."""
    async with ledger.reader.connect() as connection:
        mine = await orders.orders_paid_by(connection, [it.id])
    if any(one.state in {"held", "paying"} for one in mine):
        return False
    spent = [one.amount for one in mine if one.state in {"paid", "refunded"}]
    waits = 0 if it.state == "closed" else it.amount - sum(spent)
    came = await set_aside(ledger, it) - waits
    if came <= 0:
        return False
    back = sorted(str(one.id) for one in mine if one.state == "refunded")
    id_ = derived(BACK, it.id, came, *back)
    async with ledger.reader.connect() as connection:
        plan, known = await plan_named(connection, it.plan), await currencies(connection)
        venue = (await venues(connection))[plan.venue]
    currency = known[it.currency]
    keys = [pass_key(it.id, currency), overdraft_key(it.owner, currency), wallet_key(it.owner, currency)]
    fund, overdraft, wallet = await ledger.accounts(keys, rates(known))
    posting = Posting(fund, overdraft, came, credit_overflow=wallet)
    outcome = (await ledger.post([operation(it, plan, venue, id_, BACK, posting, now)]))[0]
    return isinstance(outcome, Posted) and not outcome.replayed


async def _close(ledger: Ledger, it: Sale, now: int) -> bool:
    """What nobody chose is its seller's: a sale like any other, at the highest rate of VAT of its dates' prices."""
    async with ledger.reader.connect() as connection:
        mine = await orders.orders_paid_by(connection, [it.id])
        plan, known = await plan_named(connection, it.plan), await currencies(connection)
        at, venue = await dates_of(connection, plan), (await venues(connection))[plan.venue]
    if any(one.state in {"held", "paying"} for one in mine):
        return False
    rest = it.amount - sum(one.amount for one in mine if one.state in {"paid", "refunded"})
    if rest:
        currency = known[it.currency]
        claim = AccountKey(currency_book(currency.issuer, currency.code), "claim", venue.owner)
        fund, into = await ledger.accounts([pass_key(it.id, currency), claim], rates(known))
        made = operation(it, plan, venue, derived("pass-rest", it.id), TICKET, Posting(fund, into, rest), now)
        vats = [price.vat for date in plan.dates if (price := at[date.event].price(date.price)) is not None]
        line = {"price": str(plan.id), "name": plan.name_fr, "quantity": 1, "unit_price": rest}
        lines = [{**line, "currency": it.currency, "vat": max(vats, default=0)}]
        details = json.dumps({"pass": str(it.id), "channel": "online", "lines": lines}, ensure_ascii=False)
        await ledger.post_one(replace(made, details=details))
    return await sales.close(ledger.engine, it)
