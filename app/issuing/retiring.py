"""Taking back what a venue has taken and nobody pays euros for: hours, points and gifts leave circulation.

Hours, points: claim / issuance. Gifts: the same, and where the issuer funds what was spent, it owes the venue as many
euro cents (promotion / payable); funded by nobody, a gift was a discount of the venue's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from app.currencies.service import Currency
from app.issuing.service import ISSUED_AS, Terms
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posted, Posting, Within
from app.ledger.service import Ledger, currency_book, operating_book
from app.platform.errors import Invalid
from app.venues.service import Venue

KIND = "retirement"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a venue has taken of a currency that can be retired, in minor units."""

    venue: Venue
    currency: Currency
    amount: int


async def claims(ledger: Ledger, venues: dict[UUID, Venue], currencies: dict[str, Currency]) -> list[Claim]:
    """What there is to retire, venue by venue, in the order in which both are shown."""
    owners = {it.owner: it for it in venues.values()}
    held = {
        (row.key.owner, row.key.book.currency): row.balance
        for row in await ledger.balances(owners=list(owners), kinds=["claim"])
    }
    return [
        Claim(venue, currency, amount)
        for owner, venue in owners.items()
        for code, currency in currencies.items()
        if currency.kind in ISSUED_AS and (amount := held.get((owner, code), 0)) > 0
    ]


async def retire(
    ledger: Ledger, terms: Terms, venue: Venue, amount: int, id_: UUID, *, actor: str, reason: str
) -> Posted:
    """`amount` minor units of the venue's claim. Raises Invalid("currency-not-accepted"), DomainError("over-claim")."""
    currency = terms.currency
    if currency.kind not in ISSUED_AS:
        raise Invalid(f"{currency.code} is not retired: it is redeemed.", "currency-not-accepted")
    book = currency_book(currency.issuer, currency.code)
    claim, issuance = await ledger.accounts([AccountKey(book, "claim", venue.owner), AccountKey(book, "issuance")])
    postings = [Posting(claim, issuance, amount)]
    funded = currency.kind == "gift" and terms.policy.funding == "issuer"
    if funded:
        own = operating_book(currency.issuer)
        promotion, payable = await ledger.accounts(
            [AccountKey(own, "promotion"), AccountKey(own, "payable", venue.owner)]
        )
        postings.append(Posting(promotion, payable, amount))
    details = {"currency": currency.code, "amount": amount, "reason": reason, "euro_cents": amount if funded else 0}
    operation = Operation(
        id=id_,
        kind=KIND,
        fingerprint=sha256(json.dumps([actor, str(venue.id), currency.code, amount, reason]).encode()).digest(),
        postings=tuple(postings),
        actor=actor,
        occurred_at_us=terms.now_us,
        business_day=terms.day,
        venue=venue.id,
        policy=terms.version.label,
        details=json.dumps(details, ensure_ascii=False, separators=(",", ":")),
        conditions=(Within((claim,), "over-claim", least=0),),
    )
    return await ledger.post_one(operation)
