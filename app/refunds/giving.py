"""What a holder gives away of what is left: to an association, a venue's fund, or the common fund (W / fund).

It is spent like anything else: nothing waits for tills. Errors: Forbidden("card-blocked"), Invalid("gift-invalid"),
DomainError("insufficient-funds").
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from app.cards.service import Card, balances, wallet_key
from app.currencies.service import Currency
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posting
from app.ledger.service import Ledger, currency_book
from app.mutual.funds import COMMON_FUND
from app.platform.clock import now_us
from app.platform.errors import Forbidden, Invalid, NotFound
from app.refunds.service import World
from app.rules.business_day import business_day
from app.venues.service import Venue

KIND = "donation"


@dataclass(frozen=True, slots=True)
class Given:
    """`to`: the fund's name, "" for the common one. Minor units of `currency`."""

    id: UUID
    currency: str
    units: int
    to: str
    at_us: int


def beneficiaries(at: World, places: Mapping[UUID, Venue]) -> list[str]:
    """Names of funds: the associations that the rules name, then the venues; the common fund is always there."""
    named = [
        name
        for rules in at.rules.values()
        for name in (rules.spending.round_up, rules.spending.top_up_round_up)
        if name is not None
    ]
    return list(dict.fromkeys([*named, *(it.name for it in places.values())]))


async def givable(ledger: Ledger, at: World, owner: str) -> dict[str, int]:
    """By currency at par with the euro, what the card holds."""
    codes = {code: it for code, it in at.known.items() if it.cents_per_unit}
    held = await balances(ledger, owner, codes)
    return {code: units for code, units in held.items() if units > 0}


async def give(
    ledger: Ledger, at: World, card: Card, currency: Currency, units: int, to: str, id_: UUID, *, actor: str
) -> None:
    """The same `id_` again gives once."""
    if currency.cents_per_unit is None or units <= 0:
        raise Invalid("Give an amount above zero, of money at par with the euro.", "gift-invalid")
    if card.status != "active" and not await ledger.booked([id_]):
        raise Forbidden("This card is blocked.", "card-blocked")
    book = currency_book(currency.issuer, currency.code)
    fund = AccountKey(book, "fund", to or COMMON_FUND)
    wallet, into = await ledger.accounts([wallet_key(card.owner, currency), fund])
    asked = {"card": card.uid, "currency": currency.code, "amount": units, "beneficiary": to}
    now = now_us()
    await ledger.post_one(
        Operation(
            id=id_,
            kind=KIND,
            fingerprint=sha256(json.dumps([KIND, asked], sort_keys=True).encode()).digest(),
            postings=(Posting(wallet, into, units),),
            actor=actor,
            occurred_at_us=now,
            business_day=business_day(now, at.network.settings.zone),
            details=json.dumps(asked, ensure_ascii=False, separators=(",", ":")),
        )
    )


async def given(ledger: Ledger, card: Card, id_: UUID) -> Given:
    """What was given from this wallet under this id. Raises NotFound."""
    found = (await ledger.booked([id_])).get(id_)
    if found is None or found.kind != KIND:
        raise NotFound("Nothing was given under this number.")
    keys = await ledger.keys_of([found.transfers[0].debit])
    if keys[found.transfers[0].debit].owner != card.owner:
        raise NotFound("Nothing was given under this number.")
    told = json.loads(found.details)
    return Given(id_, told["currency"], int(told["amount"]), told["beneficiary"], found.occurred_at_us)
