"""Opening, adding to, listing and paying tabs.

What is true of a tab's end is the ledger: a tab whose sale is booked is closed, whether or not this process lived to
write that down; the next look writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any
from uuid import UUID

from app.cards.limits import limits_of
from app.cards.service import Card, card_by_uid, wallet_key
from app.currencies.service import rates
from app.identity.staff import staff_at
from app.ledger.rules.operations import Conflict as HoldConflict
from app.ledger.rules.operations import Held, Hold, Refused, Release
from app.ledger.service import REFUSALS, Ledger, posted
from app.platform.clock import now_us
from app.platform.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from app.rules.proven import Demand, pays_online
from app.sales import service
from app.sales.booking import Counter, online_sale
from app.sales.directory import Directory
from app.sales.tabs import store
from app.terminals.service import require_active
from app.wire import Sale, SaleLine
from app.wire.tabs import AddToTab, OpenTab, Tab, TabClosed, TabItem, Tabs

# A long evening: after that the money is free again, and what was drunk is asked from a card.
HOLD_US = 12 * 3600 * 1_000_000
JOURNALLED_WITHIN_US = 7 * 24 * 3600 * 1_000_000


async def open_tab(ledger: Ledger, counter: Counter, wanted: OpenTab) -> Tab:
    """Conflict("idempotency-key-reused"), Forbidden("card-blocked", "card-not-proven"), NotFound,
    Invalid("currency-not-accepted"), DomainError("insufficient-funds", "spending-limit")."""
    require_active(counter.terminal)
    if wanted.currency not in counter.venue.accepted:
        raise Invalid(f"{counter.venue.name} does not accept {wanted.currency}.", "currency-not-accepted")
    async with ledger.reader.connect() as connection:
        card = await card_by_uid(connection, wanted.card)
        if card.status != "active":
            raise Forbidden("This card is blocked.", "card-blocked")
        await service.require_proven(connection, counter.venue, card, wanted.assurance)
        if wanted.currency in (await limits_of(connection, [card.wallet])).get(card.wallet, {}):
            # What is drunk on a tab is paid at its end, when the day's limit may be reached.
            raise DomainError("spending-limit", REFUSALS["spending-limit"])
    key = wallet_key(card.owner, counter.currencies[wanted.currency])
    (wallet,) = await ledger.accounts([key], rates(counter.currencies))
    expires_at_us = now_us() + HOLD_US
    mark = sha256(wanted.model_dump_json().encode()).digest()
    (outcome,) = await ledger.post(
        [Hold(wanted.id, mark, wallet, wanted.amount, expires_at_us, counter.actor, '{"tab":true}')]
    )
    if isinstance(outcome, Refused):
        raise DomainError(outcome.reason, REFUSALS[outcome.reason])
    if isinstance(outcome, HoldConflict) or not isinstance(outcome, Held):
        raise Invalid("This id was used for other content.", "idempotency-key-reused")
    # After the hold: a tab without money behind it would promise what it does not have. A hold that a crash left
    # without its tab is asked for again with the same id, or ends by itself.
    async with ledger.engine.begin() as connection:
        if await store.one(connection, wanted.id) is None:
            await store.insert(connection, counter.venue.id, card.owner, wanted, expires_at_us)
    return await _shown(ledger, wanted.id)


async def add(ledger: Ledger, counter: Counter, id_: UUID, wanted: AddToTab) -> Tab:
    """NotFound, Conflict("tab-closed"), Invalid("not-on-tab") for taking off what is not there."""
    require_active(counter.terminal)
    async with ledger.engine.begin() as connection:
        row = await store.one(connection, id_, lock=True)
        if row is None or row.venue != counter.venue.id:
            raise NotFound("There is no such tab at this venue.")
        if not await store.has_round(connection, wanted.id):
            if await _over(ledger, row):
                raise Conflict("This tab is closed.", "tab-closed")
            await store.add(connection, id_, counter.terminal.id, wanted)
            after = (await store.items(connection, [id_])).get(id_, ())
            if any(it.quantity < 0 for it in after):
                raise Invalid("That is not on the tab.", "not-on-tab")
    return await _shown(ledger, id_)


def _check_proven(demand: Demand, sale: Sale, cards: Mapping[str, Card]) -> None:
    if not all(pays_online(demand, sale.read_as(uid), it.assurance) for uid, it in cards.items()):
        raise service.not_proven()


async def tabs(ledger: Ledger, counter: Counter) -> Tabs:
    """The open tabs of a terminal's venue."""
    async with ledger.reader.connect() as connection:
        rows = await store.unclosed(connection, counter.venue.id)
    standing = [row for row in rows if not await _settled(ledger, row)]
    async with ledger.reader.connect() as connection:
        found = await store.items(connection, [row.id for row in standing])
        missing = await store.not_journalled(connection, counter.terminal.id, now_us() - JOURNALLED_WITHIN_US)
    return Tabs(tabs=tuple(_tab(row, found.get(row.id, ())) for row in standing), paid_here=tuple(missing))


async def close(
    ledger: Ledger, directory: Directory, counter: Counter, id_: UUID, sale: Sale | None, *, presented: bool
) -> TabClosed:
    """Conflict("tab-closed", "tab-changed", "tab-over-hold" with `missing`), DomainError("insufficient-funds", ...),
    Forbidden where the house gives the rest and the cashier may not say so."""
    require_active(counter.terminal)
    async with ledger.reader.connect() as connection:
        row = await store.one(connection, id_)
        on_it = (await store.items(connection, [id_])).get(id_, ())
    if row is None or row.venue != counter.venue.id:
        raise NotFound("There is no such tab at this venue.")
    if sale is None:
        if on_it:
            raise Conflict("Something is on this tab: it is paid, not dropped.", "tab-changed")
        await ledger.post([Release(id_)])
        async with ledger.engine.begin() as connection:
            await store.close(connection, id_)
        return TabClosed(id=id_)
    if sale.reason is not None and sale.cashier is not None:
        async with ledger.reader.connect() as connection:
            (await staff_at(connection, counter.venue.id, sale.cashier)).require("gift_house")
    desk = await directory.desk(counter.terminal.id, counter.terminal.epoch)
    purses = {uid: await directory.purse(uid, desk) for uid in sale.cards}
    if row.sale == sale.id and (again := await service.told_again(ledger, desk, purses, sale)) is not None:
        await _settled(ledger, row)
        return TabClosed(id=id_, reply=again)
    if await _over(ledger, row):
        raise Conflict("This tab is closed.", "tab-closed")
    if sorted(map(_plain, sale.lines)) != sorted(_line(it, row.currency) for it in on_it):
        raise Conflict("Something was added to this tab meanwhile.", "tab-changed")
    held = _held(row)
    known = {uid: purse for uid, purse in purses.items() if purse is not None}
    if len(known) != len(purses) or any(it.currency not in desk.claims for it in sale.tenders):
        raise NotFound("This card is not known in this network.", "card-unknown")
    # Whoever blocked the card since has drunk before: what is set aside is taken all the same, and nothing beyond it.
    if any(it.card.status != "active" for uid, it in known.items() if uid != row.card or not held):
        raise Forbidden("This card is blocked.", "card-blocked")
    from_tab = sum(it.amount for it in sale.tenders if (it.card or sale.card) == row.card)
    if from_tab > held and (not presented or known[row.card].card.status != "active"):
        raise Conflict("More was drunk than was set aside.", "tab-over-hold", missing=from_tab - held)
    # What is set aside was asked of the card when the tab was opened.
    paying = {uid: it.card for uid, it in known.items() if uid != row.card or from_tab > held}
    _check_proven(desk.demand, sale, paying)
    async with ledger.engine.begin() as connection:
        if not await store.claim(connection, id_, row.sale, sale, counter.terminal.id):
            raise Conflict("This tab is being paid at another terminal.", "tab-closed")
    rules = desk.counter.rulebook.at(now_us())
    wallets = {uid: purse.wallets for uid, purse in known.items()}
    # Of the card that opened it, what was drunk is paid: one with a day's limit opens none.
    per_day = {at: most for uid, it in known.items() if uid != row.card for at, most in it.per_day.items()}
    made = online_sale(desk.counter, sale, rules, wallets, desk.claims, desk.funds, desk.revision, per_day)
    operation = replace(made, captures=id_ if held else None, beyond_hold=presented, revision=None)
    (outcome,) = await ledger.post([operation])
    if isinstance(outcome, Refused):
        raise await service.refusal(ledger, desk, known, sale, outcome)
    booked = posted(outcome)
    async with ledger.engine.begin() as connection:
        await store.close(connection, id_)
    return TabClosed(id=id_, reply=service.reply_of(sale, purses, booked))


async def _over(ledger: Ledger, row: Any) -> bool:
    """Whether a tab is closed: written down, or true in the ledger."""
    return row.closed_at_us is not None or (row.sale is not None and bool(await ledger.booked([row.sale])))


async def _settled(ledger: Ledger, row: Any) -> bool:
    """The same; what a crash kept from being written down is written now."""
    if not await _over(ledger, row):
        return False
    if row.closed_at_us is None:
        async with ledger.engine.begin() as connection:
            await store.close(connection, row.id)
    return True


async def _shown(ledger: Ledger, id_: UUID) -> Tab:
    async with ledger.reader.connect() as connection:
        row = await store.one(connection, id_)
        return _tab(row, (await store.items(connection, [id_])).get(id_, ()))


def _held(row: Any) -> int:
    return int(row.amount) if row.expires_at_us > now_us() else 0


def _tab(row: Any, items: tuple[TabItem, ...]) -> Tab:
    return Tab(
        id=row.id,
        card=row.card,
        currency=row.currency,
        held=_held(row),
        name=row.name,
        opened_at_us=row.opened_at_us,
        expires_at_us=row.expires_at_us,
        items=items,
    )


def _plain(line: SaleLine) -> tuple[str, str, int, int, str]:
    return str(line.product), line.name, line.quantity, line.unit_price, line.currency


def _line(item: TabItem, currency: str) -> tuple[str, str, int, int, str]:
    return str(item.product), item.name, item.quantity, item.unit_price, currency
