"""What waits in suspense until its card is found: sales and top-ups of cards that were unknown or blocked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.cards.service import overdraft_key, wallet_key
from app.currencies.service import Currency
from app.ledger.rules.operations import Posting, Transfer
from app.ledger.service import BookedOperation, Ledger

LINK = "inbox.link"


async def waiting(ledger: Ledger, of: BookedOperation) -> list[tuple[Transfer, int]]:
    """The operation's transfers of which something still stands in suspense, with how much."""
    keys = await ledger.keys_of({it for t in of.transfers for it in (t.debit, t.credit)})
    back = await ledger.taken_back([t.id for t in of.transfers])
    return [
        (t, left)
        for t in of.transfers
        if "suspense" in {keys[t.debit].kind, keys[t.credit].kind} and (left := t.amount - back.get(t.id, 0))
    ]


async def linked(
    ledger: Ledger, known: Mapping[str, Currency], owner: str, left: Sequence[tuple[Transfer, int]]
) -> list[Posting]:
    """Taken back from suspense, then booked as it would have been with this wallet: it pays the sale (from its
    overdraft what it does not hold), or gets the top-up."""
    keys = await ledger.keys_of({it for t, _ in left for it in (t.debit, t.credit)})
    postings: list[Posting] = []
    for t, units in left:
        suspense = t.debit if keys[t.debit].kind == "suspense" else t.credit
        currency = known[keys[suspense].book.currency]
        overdraft, wallet = await ledger.accounts([overdraft_key(owner, currency), wallet_key(owner, currency)])
        postings.append(Posting(t.credit, t.debit, units, reverses=t.id))
        if suspense == t.debit:
            postings.append(Posting(wallet, t.credit, units, debit_overflow=overdraft))
        else:
            postings.append(Posting(t.debit, overdraft, units, credit_overflow=wallet))
    return postings
