"""Sales that were delivered: booked in one go, whatever is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.cards.service import Card, cards_by_uid
from app.ledger.rules.operations import Conflict, Posted
from app.ledger.service import Ledger
from app.sales import booking
from app.sales.booking import Counter
from app.terminals.rows import Exceptions
from app.venues.service import products
from app.wire import Sale, SaleRow


async def book(ledger: Ledger, counter: Counter, rows: Sequence[SaleRow], exceptions: Exceptions) -> None:
    """What a person should look at is read off the transfers, which are the same however often a row is taken in."""
    async with ledger.reader.connect() as connection:
        cards = await cards_by_uid(connection, {uid for row in rows for uid in row.sale.cards})
    sales: list[Sale] = []
    for row in rows:
        if any(tender.currency not in counter.currencies for tender in row.sale.tenders):
            exceptions.add(row.sale.id, "currency-unknown", card=row.sale.card)
            continue
        sales.append(row.sale)
    delivered = await booking.delivered_sales(ledger, counter, sales, cards)
    outcomes = await ledger.post(delivered.operations)
    booked: list[Sale] = []
    for sale, outcome in zip(sales, outcomes, strict=True):
        if not isinstance(outcome, Posted):
            reason = "id-reused" if isinstance(outcome, Conflict) else str(outcome)
            exceptions.add(sale.id, "not-booked", card=sale.card, reason=reason)
            continue
        booked.append(sale)
        if any(t.debit in delivered.suspense for t in outcome.transfers):
            unknown = next((uid for uid in sale.cards if uid not in cards), None)
            blocked = next((uid for uid in sale.cards if uid in cards and cards[uid].status != "active"), sale.card)
            exceptions.add(sale.id, "unknown-card" if unknown else "blocked-card", card=unknown or blocked)
        if owed := _owed(sale, cards, outcome, delivered.overdrafts):
            exceptions.add(sale.id, "offline-overdraft", card=next(iter(owed)), owed=owed)
    await _against_policy(ledger, counter, booked, exceptions)


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
