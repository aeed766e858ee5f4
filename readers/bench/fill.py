"""A backlog in a terminal's journal: sales as a night without network leaves them, many to a transaction."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from app.rules.ids import uuid7
from app.wire import IntentRow, Sale, SaleRow, Tender
from readers.bench.cases import NOWHERE, terminal
from readers.bench.hand import CURRENCY, Hand

# Rows of one transaction: a real tap takes two, one after the other, which would only make filling slower.
AT_ONCE = 500


async def fill(data: Path, pin: str, cards: int, sales: int) -> int:
    """Journal rows until `sales` sales wait, with their intents, like the last one that was tapped here: how many."""
    async with terminal(data, NOWHERE, None, pin) as (running, driver):
        journal = running.journal
        hand = Hand.at(running, driver, cards)
        await hand.tap()
        (last,) = await journal.last_sales(1)
        while (wanted := sales - journal.waiting // 2) > 0:
            rows: list[IntentRow | SaleRow] = []
            for uid in islice(hand.cards, min(wanted, AT_ONCE // 2)):
                row = _another(last.row, uid)
                rows += [IntentRow(sale=row.sale.id, at_us=row.sale.occurred_at_us), row]
            await journal.append(*rows)
        return journal.waiting // 2


def _another(row: SaleRow, uid: str) -> SaleRow:
    """The same basket, sold to another card under an id of its own."""
    tenders = tuple(Tender(currency=CURRENCY, amount=it.amount) for it in row.sale.tenders)
    return SaleRow(mode="offline", sale=Sale(**{**dict(row.sale), "id": uuid7(), "card": uid, "tenders": tenders}))
