"""Sales that were delivered: booked in one go, whatever is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from app.cards.service import Card, cards_by_uid
from app.leases import selling
from app.ledger.rules.operations import Conflict, Outcome, Posted
from app.ledger.service import Ledger
from app.sales import booking, deposits, records
from app.sales.booking import Counter, Delivered
from app.sales.directory import Directory
from app.sales.plain import PlainSale, PlainSaleRow
from app.sales.plain_booking import PlainBooking
from app.terminals.rows import BookRows, Exceptions
from app.venues.service import products
from app.wire import Sale, SaleRow

Row = SaleRow | PlainSaleRow


def handler(directory: Directory) -> BookRows:
    """Books sales; `directory` remembers who pays them."""

    async def book_known(ledger: Ledger, counter: Counter, rows: Sequence[Row], exceptions: Exceptions) -> None:
        await _book(directory, ledger, counter, rows, exceptions)

    return book_known


async def book(ledger: Ledger, counter: Counter, rows: Sequence[Row], exceptions: Exceptions) -> None:
    """The same, remembering nothing."""
    await _book(Directory(ledger), ledger, counter, rows, exceptions)


async def _book(
    directory: Directory, ledger: Ledger, counter: Counter, rows: Sequence[Row], exceptions: Exceptions
) -> None:
    """What a person should look at is read off the transfers, which are the same however often a row is taken in."""
    uncarded = [row.sale for row in rows if not isinstance(row, PlainSaleRow) and not row.sale.card]
    for paid in await _record(ledger, counter, uncarded, exceptions):
        if selling.lines_of(paid):
            await _issue(ledger, counter, paid, {}, exceptions)
    known = [row for row in rows if row.sale.card and _in_known_money(row.sale, counter, exceptions)]
    plain, cards = await _looked_up(directory, ledger, counter, known)
    booked: list[Sale] = []
    for group in _groups(known):
        first = group[0]
        if not isinstance(first, PlainSaleRow) and _alone(first):
            delivered, outcome = await deposits.book(ledger, counter, first.sale, cards)
            outcomes: Sequence[Outcome] = [outcome]
        else:
            delivered = await _delivered(ledger, counter, group, cards, plain)
            outcomes = await ledger.post(delivered.operations)
        for row, one in zip(group, outcomes, strict=True):
            if not _look_at(row.sale, one, delivered, cards, exceptions):
                continue
            if not isinstance(row, PlainSaleRow) and selling.lines_of(row.sale):
                await _issue(ledger, counter, row.sale, cards, exceptions)
            if (sale := _doubtful(counter, row, plain)) is not None:
                booked.append(sale)
    await _against_policy(ledger, counter, booked, exceptions)


async def _issue(
    ledger: Ledger, counter: Counter, sale: Sale, cards: Mapping[str, Card], exceptions: Exceptions
) -> None:
    """The tickets that it sold. One that was not this terminal's to sell was paid all the same: a person decides."""
    if lost := await selling.issue(ledger.engine, counter.terminal.id, sale, cards.get(sale.card)):
        exceptions.add(sale.id, "ticket-not-leased", card=sale.card, tickets=[str(id_) for id_ in lost])


def _in_known_money(sale: Sale | PlainSale, counter: Counter, exceptions: Exceptions) -> bool:
    if all(tender.currency in counter.currencies for tender in sale.tenders):
        return True
    exceptions.add(sale.id, "currency-unknown", card=sale.card)
    return False


async def _looked_up(
    directory: Directory, ledger: Ledger, counter: Counter, rows: Sequence[Row]
) -> tuple[PlainBooking, dict[str, Card]]:
    """What books the plain ones of the sales, and every card that is known, by its number."""
    paid = {
        (row.sale.card, it.currency): None for row in rows if isinstance(row, PlainSaleRow) for it in row.sale.tenders
    }
    payers = await directory.payers(paid, counter.currencies) if paid else {}
    cards = {uid: payer.card for (uid, _), payer in payers.items()}
    if special := {uid for row in rows if not isinstance(row, PlainSaleRow) for uid in row.sale.cards}:
        async with ledger.reader.connect() as connection:
            cards |= await cards_by_uid(connection, special)
    return await PlainBooking.of(ledger, counter, payers, [code for _, code in paid]), cards


async def _delivered(
    ledger: Ledger, counter: Counter, rows: Sequence[Row], cards: Mapping[str, Card], plain: PlainBooking
) -> Delivered:
    """The operations of sales of both kinds, in their order."""
    special = [row.sale for row in rows if not isinstance(row, PlainSaleRow)]
    others, watched = await booking.delivered_sales(ledger, counter, special, cards), plain.to_look_at
    rest = iter(others.operations)
    return Delivered(
        tuple([plain.operation(row) if isinstance(row, PlainSaleRow) else next(rest) for row in rows]),
        others.suspense | watched.suspense,
        {**others.overdrafts, **watched.overdrafts},
    )


def _alone(row: Row) -> bool:
    return not isinstance(row, PlainSaleRow) and bool(deposits.coming_back(row.sale))


def _groups(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """In order. A sale in which deposits come back is posted alone: it must see what those before it set aside."""
    for alone, group in groupby(rows, key=_alone):
        if alone:
            yield from ([it] for it in group)
        else:
            yield list(group)


def _look_at(
    sale: Sale | PlainSale, outcome: Outcome, delivered: Delivered, cards: Mapping[str, Card], exceptions: Exceptions
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


async def _record(ledger: Ledger, counter: Counter, sales: Sequence[Sale], exceptions: Exceptions) -> Sequence[Sale]:
    """Sales without a card: nothing of them is the ledger's. Those that are kept."""
    if not sales:
        return ()
    kept = []
    async with ledger.engine.begin() as connection:
        for sale in sales:
            if await records.record(connection, counter, sale):
                kept.append(sale)
            else:
                exceptions.add(sale.id, "not-booked", reason="id-reused")
    return kept


def _owed(
    sale: Sale | PlainSale, cards: Mapping[str, Card], outcome: Posted, overdrafts: Mapping[int, tuple[str, str]]
) -> dict[str, dict[str, int]]:
    """What each card owes for this sale, in minor units by currency."""
    owing = [it for it in outcome.transfers if it.debit in overdrafts]
    if not owing:
        return {}
    uids = {cards[uid].owner: uid for uid in sale.cards if uid in cards}
    owed: dict[str, dict[str, int]] = {}
    for it in owing:
        owner, code = overdrafts[it.debit]
        if owner in uids:
            of = owed.setdefault(uids[owner], {})
            of[code] = of.get(code, 0) + it.amount
    return owed


def _doubtful(counter: Counter, row: Row, plain: PlainBooking) -> Sale | None:
    """The sale, if it may be against a policy."""
    if isinstance(row, PlainSaleRow):
        return row.sale.whole() if row.sale.id in plain.doubtful else None
    return None if booking.rules_of(counter, row.sale).needs_no_look(row.sale) else row.sale


async def _against_policy(ledger: Ledger, counter: Counter, doubtful: Sequence[Sale], exceptions: Exceptions) -> None:
    """What the server would have refused is booked all the same, and somebody should know."""
    if not doubtful:
        return
    async with ledger.reader.connect() as connection:
        # With what is no longer sold: it was, when the terminal saw it last.
        sold = [it for active in (False, True) for it in await products(connection, counter.venue.id, active=active)]
    categories = {it.id: it.category for it in sold}
    for sale in doubtful:
        if objections := booking.rules_of(counter, sale).objections(sale, counter.venue, categories):
            exceptions.add(sale.id, "against-policy", card=sale.card, reasons=objections)
