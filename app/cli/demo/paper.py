"""The evening kept on paper: every balance, computed from the script and nothing else.

It shares no code with the ledger: additions and subtractions only, so that a mistake there cannot hide here.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from app.cli.demo.network import prices, unit_of
from app.cli.demo.script import Sale, Shift, TopUp
from app.money import parse_amount

Purse = defaultdict[str, int]


def _purses() -> defaultdict[Any, Purse]:
    return defaultdict(lambda: defaultdict(int))


@dataclass
class Paper:
    """Minor units by currency: what each card holds (by number), what each venue has taken (by slug). `due`: euro cents
    of cash each venue took for the issuer. `clearing`: euro cents paid online."""

    network: dict[str, Any]
    cards: defaultdict[int, Purse] = field(default_factory=_purses)
    claims: defaultdict[str, Purse] = field(default_factory=_purses)
    due: Purse = field(default_factory=lambda: defaultdict(int))
    issued: Purse = field(default_factory=lambda: defaultdict(int))
    clearing: int = 0
    paid: dict[str, tuple[Sale, int]] = field(default_factory=dict)

    def minor(self, text: str, currency: str) -> int:
        return parse_amount(text, unit_of(self.network["currencies"][currency]))

    def total(self, sale: Sale) -> int:
        each = {name: prices(self.network, sale.venue, name)[sale.pay] for name in sale.items}
        return sum(each[name] * quantity for name, quantity in sale.items.items())

    def top_up(self, step: TopUp) -> None:
        if step.outcome != "paid":
            return
        amount = self.minor(step.amount, step.currency)
        cents = amount * self.network["currencies"][step.currency]["cents_per_unit"]
        self.cards[step.card][step.currency] += amount
        self.issued[step.currency] += amount
        if step.venue is None:
            self.clearing += cents
        else:
            self.due[step.venue] += cents

    def shift(self, step: Shift) -> None:
        minutes = self.minor(step.time, step.currency)
        self.cards[step.card][step.currency] += minutes
        self.issued[step.currency] += minutes

    def expected(self, sale: Sale, online: bool) -> str:
        """ "paid", or why not."""
        if sale.expect is not None:
            return sale.expect
        enough = self.cards[sale.card][sale.pay] >= self.total(sale)
        return "paid" if enough or not online else "insufficient-funds"

    def sale(self, step: Sale) -> None:
        """It was paid."""
        amount = self.total(step)
        self.cards[step.card][step.pay] -= amount
        self.claims[step.venue][step.pay] += amount
        if step.name is not None:
            self.paid[step.name] = (step, amount)

    def void(self, name: str) -> None:
        step, amount = self.paid.pop(name)
        self.cards[step.card][step.pay] += amount
        self.claims[step.venue][step.pay] -= amount
