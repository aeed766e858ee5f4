"""What an exception's action books. An operation's id follows from the fault and the action, so two people who press at
once, or one who presses twice, book it once; and the ledger itself refuses to settle what was settled otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from typing import Literal
from uuid import UUID

from app.cards.service import Card, cards_by_uid, overdraft_key
from app.currencies.service import Currency, currencies, rates
from app.identity.roles import Principal
from app.inbox import service
from app.inbox.rules import Fault
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posted, Posting, Transfer
from app.ledger.service import BookedOperation, Ledger, operating_book, posted, reserve_book
from app.platform.clock import now_us
from app.platform.errors import Conflict, DomainError, Invalid
from app.rules.ids import derived
from app.sales.suspense import LINK, linked, waiting
from app.settlement.booking import COVER, Leg, cover_legs
from app.settlement.reading import Cover
from app.settlement.terms import WHOLE, network_terms

Who = Literal["policy", "network"]

REPAID = "inbox.reserve"
# A card that is topped up at every look is left for later.
LOOKS = 5

_GONE = Conflict("What it was about was put right meanwhile.", "cause-gone")


def operation_id(fault: Fault, action: str) -> UUID:
    return derived("inbox", fault.key, action)


async def cover(ledger: Ledger, caller: Principal, fault: Fault, who: Who, reason: str, day: date) -> UUID:
    """What cards owe for a sale made offline is borne: by the terms of settlement, or by the network alone.

    Cards that were topped up meanwhile owe less, and no more is borne than they owe. Conflict("cause-gone").
    """
    _say_why(reason)
    id_ = operation_id(fault, "cover")
    async with ledger.reader.connect() as connection:
        known, bears = await currencies(connection), (await network_terms(connection)).venue_bears
        cards = await cards_by_uid(connection, list(fault.facts["owed"]))
    for look in range(LOOKS):
        if await ledger.booked([id_]):
            break
        rows = await ledger.balances(owners=[it.owner for it in cards.values()], kinds=["overdraft"])
        debts = {row.key: -row.balance for row in rows}
        legs: list[Leg] = []
        for uid, of in fault.facts["owed"].items():
            for code, units in of.items() if uid in cards else ():
                share = units * bears // WHOLE if who == "policy" and fault.venue is not None else 0
                legs += cover_legs(known[code], Cover(cards[uid].owner, code, fault.venue, units, share), debts)
        legs = [it for it in legs if it[2]]
        if not legs:
            if await ledger.booked([id_]):
                # Somebody else booked it between the two looks.
                break
            raise _GONE
        postings = await _postings(ledger, legs, known)
        try:
            await _post(ledger, caller, fault, id_, COVER, postings, reason, day)
            break
        except DomainError:
            # The card was topped up between the look and the posting.
            if look == LOOKS - 1:
                raise
    await service.booked(ledger, caller, fault.key, reason, id_)
    return id_


async def link(ledger: Ledger, caller: Principal, fault: Fault, card: Card, reason: str, day: date) -> UUID:
    """What waits in suspense is this card's: it pays the sale (from its overdraft what it does not hold), or gets the
    top-up. Conflict("cause-gone")."""
    _say_why(reason)
    id_ = operation_id(fault, "suspense")
    if not await ledger.booked([id_]):
        original, left = await _waiting(ledger, fault)
        async with ledger.reader.connect() as connection:
            known = await currencies(connection)
        postings = await linked(ledger, known, card.owner, left)
        details = {"card": card.uid, "of": str(original.id)}
        await _post(ledger, caller, fault, id_, LINK, postings, reason, day, **details)
    await service.booked(ledger, caller, fault.key, reason, id_)
    return id_


async def write_off(ledger: Ledger, caller: Principal, fault: Fault, who: Who, reason: str, day: date) -> UUID:
    """Nobody knows whose card it was: the sale is borne by the terms of settlement, or by the network alone. The
    venue's claim loses its own share; behind the rest stand the network's euros. Conflict("cause-gone")."""
    _say_why(reason)
    id_ = operation_id(fault, "suspense")
    if not await ledger.booked([id_]):
        _, left = await _waiting(ledger, fault)
        keys = await ledger.keys_of({it for t, _ in left for it in (t.debit, t.credit)})
        async with ledger.reader.connect() as connection:
            known, bears = await currencies(connection), (await network_terms(connection)).venue_bears
        postings: list[Posting] = []
        for t, units in left:
            currency = known[keys[t.debit].book.currency]
            if keys[t.debit].kind != "suspense" or currency.kind == "mutual":
                raise Invalid("This is not written off: only a card can be found for it.", "inbox-not-this")
            claim = keys[t.credit].kind == "claim"
            share = units * bears // WHOLE if who == "policy" and claim else 0
            postings.append(Posting(t.credit, t.debit, units, reverses=t.id))
            if units > share:
                postings += await _borne(ledger, known, currency, t.credit, units - share)
        await _post(ledger, caller, fault, id_, COVER, postings, reason, day)
    await service.booked(ledger, caller, fault.key, reason, id_)
    return id_


async def repay_reserve(ledger: Ledger, caller: Principal, fault: Fault, cents: int, reason: str, day: date) -> UUID:
    """The network has sent its reserve what it owes it. `cents`: as the page showed it; what was owed differs by then:
    Conflict("cause-gone")."""
    _say_why(reason)
    if cents <= 0 or cents != fault.facts["cents"]:
        raise _GONE
    reserve, own = reserve_book("network"), operating_book("network")
    legs: list[Leg] = [
        (AccountKey(reserve, "bank"), AccountKey(reserve, "due_from", "operating"), cents),
        (AccountKey(own, "due_to_reserve"), AccountKey(own, "bank"), cents),
    ]
    at = await ledger.history.moment()
    due = await ledger.accounts([legs[0][1]])
    moved = await ledger.history.moves(due, at)
    # What was owed is a stretch of that account's history, and each is repaid once.
    id_ = derived("inbox", fault.key, "repaid", len(moved))
    await _post(ledger, caller, fault, id_, REPAID, await _postings(ledger, legs, {}), reason, day)
    await service.booked(ledger, caller, fault.key, reason, id_)
    return id_


async def _waiting(ledger: Ledger, fault: Fault) -> tuple[BookedOperation, list[tuple[Transfer, int]]]:
    """The operation, and its transfers of which something still stands in suspense, with how much."""
    original = (await ledger.booked([fault.operation] if fault.operation else [])).get(fault.operation or UUID(int=0))
    if original is None:
        raise _GONE
    found = await waiting(ledger, original)
    if not found:
        raise _GONE
    return original, found


async def _borne(
    ledger: Ledger, known: dict[str, Currency], currency: Currency, to: int, units: int
) -> Sequence[Posting]:
    """Units that the network pays for, to an account of the currency's book."""
    reserve, own = reserve_book(currency.issuer), operating_book(currency.issuer)
    book = overdraft_key("", currency).book
    keys = [
        AccountKey(book, "issuance"),
        AccountKey(reserve, "due_from", "operating"),
        AccountKey(reserve, "liability", currency.code),
        AccountKey(own, "losses"),
        AccountKey(own, "due_to_reserve"),
    ]
    cents = units * (currency.cents_per_unit or 0)
    if not cents:
        (issuance,) = await ledger.accounts(keys[:1], rates(known))
        return (Posting(issuance, to, units),)
    issuance, due_from, liability, losses, due_to = await ledger.accounts(keys, rates(known))
    return Posting(issuance, to, units), Posting(due_from, liability, cents), Posting(losses, due_to, cents)


async def _postings(ledger: Ledger, legs: Sequence[Leg], known: dict[str, Currency]) -> list[Posting]:
    keys = [key for debit, credit, _ in legs for key in (debit, credit)]
    ids = dict(zip(keys, await ledger.accounts(keys, rates(known)), strict=True))
    return [Posting(ids[debit], ids[credit], amount) for debit, credit, amount in legs]


async def _post(
    ledger: Ledger,
    caller: Principal,
    fault: Fault,
    id_: UUID,
    kind: str,
    postings: Sequence[Posting],
    reason: str,
    day: date,
    **details: str,
) -> None:
    """Booked before under this id it stays as it was, whatever a later look comes to."""
    operation = Operation(
        id=id_,
        kind=kind,
        fingerprint=sha256(b"inbox" + id_.bytes).digest(),
        postings=tuple(postings),
        actor=caller.actor,
        occurred_at_us=now_us(),
        business_day=day,
        venue=fault.venue,
        details=json.dumps({"about": fault.key, "reason": reason, **details}, ensure_ascii=False),
        # What stood in its way may be gone the next time.
        overrides_refusal=True,
    )
    (outcome,) = await ledger.post([operation])
    if not isinstance(outcome, Posted):
        posted(outcome)


def _say_why(reason: str) -> None:
    if not reason.strip():
        raise Invalid("Say why: a year later nobody remembers.", "inbox-needs-text")
