"""Positions of the venues, read from the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.currencies.service import Currency
from app.ledger.service import Ledger
from app.venues.service import Venue


@dataclass(frozen=True, slots=True)
class Position:
    """One venue, as of now. `claims`: what it has taken, in minor units by currency. `due_cents`: euros it took for
    the issuer and owes it. `redeemable_cents`: its claims in pegged money, at par."""

    venue: Venue
    claims: Mapping[str, int]
    due_cents: int
    redeemable_cents: int

    @property
    def net_cents(self) -> int:
        """What the issuer owes the venue; negative: the venue owes the issuer."""
        return self.redeemable_cents - self.due_cents


async def positions(ledger: Ledger, venues: Iterable[Venue], currencies: Mapping[str, Currency]) -> list[Position]:
    """One position per venue, in the order given."""
    chosen = list(venues)
    claims: dict[str, dict[str, int]] = {}
    due: dict[str, int] = {}
    for row in await ledger.balances(owners=[it.owner for it in chosen], kinds=["claim", "due_from"]):
        if row.key.kind == "claim":
            claims.setdefault(row.key.owner, {})[row.key.book.currency] = row.balance
        else:
            due[row.key.owner] = due.get(row.key.owner, 0) + row.balance
    return [_position(it, claims.get(it.owner, {}), due.get(it.owner, 0), currencies) for it in chosen]


@dataclass(frozen=True, slots=True)
class Sums:
    """All positions in one: `claims` in minor units by currency; what the issuer owes venues (`owed_cents`) and what
    venues owe it (`owing_cents`), each without the other."""

    claims: Mapping[str, int]
    due_cents: int
    redeemable_cents: int
    owed_cents: int
    owing_cents: int

    @property
    def net_cents(self) -> int:
        return self.redeemable_cents - self.due_cents


def sums(found: Iterable[Position], currencies: Mapping[str, Currency]) -> Sums:
    chosen = list(found)
    return Sums(
        {code: sum(it.claims.get(code, 0) for it in chosen) for code in currencies},
        sum(it.due_cents for it in chosen),
        sum(it.redeemable_cents for it in chosen),
        sum(max(0, it.net_cents) for it in chosen),
        sum(max(0, -it.net_cents) for it in chosen),
    )


def _position(venue: Venue, claims: Mapping[str, int], due_cents: int, known: Mapping[str, Currency]) -> Position:
    rates = {code: it.cents_per_unit for code, it in known.items() if it.cents_per_unit is not None}
    cents = sum(amount * rates[code] for code, amount in claims.items() if code in rates)
    return Position(venue, {code: claims.get(code, 0) for code in known}, due_cents, cents)
