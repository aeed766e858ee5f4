"""What a refund books (ledger.md, "holder refunded 7"). An operation's id follows from the refund and the step, so a
step that is taken again books nothing twice.

set aside   W / issuance; liability / payable holder + payable operating (the fee); operating: due from reserve / income
paid        payable holder / bank; or, back to a payment card, payable holder / clearing
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from uuid import UUID

from app.cards.service import wallet_key
from app.currencies.service import Currency, rates
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posting
from app.ledger.service import Ledger, currency_book, operating_book, reserve_book
from app.platform.clock import now_us
from app.refunds.rules import Part
from app.refunds.store import Request
from app.rules.business_day import business_day
from app.rules.ids import derived
from app.rules.vat import vat_within
from app.venues.service import Network

SET_ASIDE, PAID, TO_CARD = "refund", "refund.paid", "refund.card"

Leg = tuple[AccountKey, AccountKey, int]


def aside_of(refund: UUID, attempt: int) -> UUID:
    return derived("refund", refund, "aside", attempt)


def back_of(operation: UUID) -> UUID:
    """The operation that takes one of a refund's back."""
    return derived("refund", operation, "back")


def set_aside_id(it: Request) -> UUID:
    return aside_of(it.id, it.attempt)


def paid_id(it: Request) -> UUID:
    return derived("refund", it.id, "paid", it.sending)


async def set_aside(
    ledger: Ledger, network: Network, known: Mapping[str, Currency], it: Request, parts: Sequence[Part]
) -> Operation:
    legs: list[Leg] = []
    for one in parts:
        reserve, own = reserve_book(one.issuer), operating_book(one.issuer)
        book = currency_book(one.issuer, one.currency)
        liability = AccountKey(reserve, "liability", one.currency)
        vat = vat_within(one.fee_cents, network.settings.fee_vat_basis_points)
        legs += [
            (wallet_key(it.owner, known[one.currency]), AccountKey(book, "issuance"), one.units),
            (liability, AccountKey(reserve, "payable", it.owner), one.cents),
            (liability, AccountKey(reserve, "payable", "operating"), one.fee_cents),
            (AccountKey(own, "due_from_reserve"), AccountKey(own, "fee_income"), one.fee_cents - vat),
            (AccountKey(own, "due_from_reserve"), AccountKey(own, "vat"), vat),
        ]
    details = {"refund": str(it.id), "way": it.way}
    return await operation(ledger, network, known, set_aside_id(it), SET_ASIDE, it, legs, details)


async def paid(
    ledger: Ledger, network: Network, known: Mapping[str, Currency], it: Request, cents: Mapping[str, int]
) -> Operation:
    """The bank has paid it; `cents` by issuer."""
    legs = [
        (AccountKey(reserve_book(issuer), "payable", it.owner), AccountKey(reserve_book(issuer), "bank"), amount)
        for issuer, amount in cents.items()
    ]
    return await operation(ledger, network, known, paid_id(it), PAID, it, legs, {"refund": str(it.id)})


async def operation(
    ledger: Ledger,
    network: Network,
    known: Mapping[str, Currency],
    id_: UUID,
    kind: str,
    it: Request,
    legs: Sequence[Leg],
    details: dict[str, str],
) -> Operation:
    legs = [leg for leg in legs if leg[2]]
    keys = [key for debit, credit, _ in legs for key in (debit, credit)]
    ids = dict(zip(keys, await ledger.accounts(keys, rates(known)), strict=True))
    content = [str(id_), *(f"{debit} {credit} {amount}" for debit, credit, amount in legs)]
    now = now_us()
    return Operation(
        id=id_,
        kind=kind,
        fingerprint=sha256("\n".join(content).encode()).digest(),
        postings=tuple(Posting(ids[debit], ids[credit], amount) for debit, credit, amount in legs),
        actor=f"refund:{it.id}",
        occurred_at_us=now,
        business_day=business_day(now, network.settings.zone),
        details=json.dumps(details, separators=(",", ":")),
    )
