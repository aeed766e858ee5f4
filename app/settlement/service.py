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


def _position(venue: Venue, claims: Mapping[str, int], due_cents: int, known: Mapping[str, Currency]) -> Position:
    rates = {code: it.cents_per_unit for code, it in known.items() if it.cents_per_unit is not None}
    cents = sum(amount * rates[code] for code, amount in claims.items() if code in rates)
    return Position(venue, {code: claims.get(code, 0) for code in known}, due_cents, cents)
