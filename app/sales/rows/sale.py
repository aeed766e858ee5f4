"""Sales that were delivered: booked in one go, whatever is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from app.cards.service import Card, cards_by_uid
from app.ledger.rules.operations import Conflict, Outcome, Posted
from app.ledger.service import Ledger
from app.sales import booking, deposits, records
from app.sales.booking import Counter, Delivered
from app.terminals.rows import Exceptions
from app.venues.service import products
from app.wire import Sale, SaleRow


async def book(ledger: Ledger, counter: Counter, rows: Sequence[SaleRow], exceptions: Exceptions) -> None:
    """What a person should look at is read off the transfers, which are the same however often a row is taken in."""
    async with ledger.reader.connect() as connection:
        cards = await cards_by_uid(connection, {uid for row in rows for uid in row.sale.cards})
    sales: list[Sale] = []
    await _record(ledger, counter, [row.sale for row in rows if not row.sale.card], exceptions)
    for row in rows:
        if not row.sale.card:
            continue
        if any(tender.currency not in counter.currencies for tender in row.sale.tenders):
            exceptions.add(row.sale.id, "currency-unknown", card=row.sale.card)
            continue
        sales.append(row.sale)
    booked: list[Sale] = []
    for group in _groups(sales):
        if deposits.coming_back(group[0]):
            delivered, outcome = await deposits.book(ledger, counter, group[0], cards)
            outcomes: Sequence[Outcome] = [outcome]
        else:
            delivered = await booking.delivered_sales(ledger, counter, group, cards)
            outcomes = await ledger.post(delivered.operations)
        booked += [
            sale for sale, one in zip(group, outcomes, strict=True) if _look_at(sale, one, delivered, cards, exceptions)
        ]
    await _against_policy(ledger, counter, booked, exceptions)


def _groups(sales: Sequence[Sale]) -> Iterator[list[Sale]]:
    """In order. A sale in which deposits come back is posted alone: it must see what those before it set aside."""
    for alone, group in groupby(sales, key=lambda it: bool(deposits.coming_back(it))):
        if alone:
            yield from ([it] for it in group)
        else:
            yield list(group)


def _look_at(
    sale: Sale, outcome: Outcome, delivered: Delivered, cards: Mapping[str, Card], exceptions: Exceptions
) -> bool:
    """Whether it was booked; what of it needs a person."""
    if not isinstance(outcome, Posted):
        reason = "id-reused" if isinstance(outcome, Conflict) else str(outcome)
        exceptions.add(sale.id, "not-booked", card=sale.card, reason=reason)
        return False
    if any(t.debit in delivered.suspense or t.credit in delivered.suspense for t in outcome.transfers):
        unknown = next((uid for uid in sale.cards if uid not in cards), None)
        blocked = next((uid for uid in sale.cards if uid in cards and cards[uid].status != "active"), sale.card)
        exceptions.add(sale.id, "unknown-card" if unknown else "blocked-card", card=unknown or blocked)
    if owed := _owed(sale, cards, outcome, delivered.overdrafts):
        exceptions.add(sale.id, "offline-overdraft", card=next(iter(owed)), owed=owed)
    return True


async def _record(ledger: Ledger, counter: Counter, sales: Sequence[Sale], exceptions: Exceptions) -> None:
    """Sales without a card: nothing of them is the ledger's."""
    if not sales:
        return
    async with ledger.engine.begin() as connection:
        for sale in sales:
            if not await records.record(connection, counter, sale):
                exceptions.add(sale.id, "not-booked", reason="id-reused")


def _owed(
    sale: Sale, cards: Mapping[str, Card], outcome: Posted, overdrafts: Mapping[int, tuple[str, str]]
) -> dict[str, dict[str, int]]:
    """What each card owes for this sale, in minor units by currency."""
    uids = {cards[uid].owner: uid for uid in sale.cards if uid in cards}
    owed: dict[str, dict[str, int]] = {}
    for it in outcome.transfers:
        owner, code = overdrafts.get(it.debit, ("", ""))
        if owner in uids:
            of = owed.setdefault(uids[owner], {})
            of[code] = of.get(code, 0) + it.amount
    return owed


async def _against_policy(ledger: Ledger, counter: Counter, sales: Sequence[Sale], exceptions: Exceptions) -> None:
    """What the server would have refused is booked all the same, and somebody should know."""
    doubtful = [(sale, rules) for sale in sales if not (rules := booking.rules_of(counter, sale)).needs_no_look(sale)]
    if not doubtful:
        return
    async with ledger.reader.connect() as connection:
        # With what is no longer sold: it was, when the terminal saw it last.
        sold = [it for active in (False, True) for it in await products(connection, counter.venue.id, active=active)]
    categories = {it.id: it.category for it in sold}
    for sale, rules in doubtful:
        if objections := rules.objections(sale, counter.venue, categories):
            exceptions.add(sale.id, "against-policy", card=sale.card, reasons=objections)
