"""What a sale was worth to a venue, read from the details that are kept of it. Pure.

The base of VAT is what was paid in euros and pegged money, at the rates of the items sold; what gifts or hours paid is
a discount of the house. Prices hold their tax, which is rounded once for each rate of a sale, as on its receipt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.rules.fees import share

Rate = int | None
"""Basis points; None where nobody said a rate."""


@dataclass(slots=True)
class Worth:
    """Euro cents. `goods`: tax included, by rate; `till`: what the venue's own till took, by means; `deposits` and
    `tips`: what the lines of these kinds came to, whoever holds it."""

    goods: dict[Rate, int] = field(default_factory=dict)
    till: dict[str, int] = field(default_factory=dict)
    deposits: int = 0
    tips: int = 0


def worth(details: Mapping[str, Any], rates: Mapping[str, int]) -> Worth:
    """`rates`: euro cents per minor unit of pegged money; other money is worth no euros."""
    found = Worth()
    prices: dict[str, dict[Rate, int]] = {}
    asked: dict[str, int] = {}
    apart: dict[str, int] = {}
    for line in details.get("lines", ()):
        code, amount = line["currency"], line["quantity"] * line["unit_price"]
        asked[code] = asked.get(code, 0) + amount
        kind = line.get("kind")
        if kind in {"deposit", "tip"}:
            cents = amount * rates.get(code, 0)
            apart[code] = apart.get(code, 0) + cents
            if kind == "deposit":
                found.deposits += cents
            else:
                found.tips += cents
        else:
            by_rate = prices.setdefault(code, {})
            by_rate[line.get("vat")] = by_rate.get(line.get("vat"), 0) + amount
    for code, cents in _paid(details, asked, rates, found.till).items():
        _share_out(found.goods, cents - apart.get(code, 0), prices.get(code, {}), rates.get(code, 0))
    return found


def tax(gross: int, rate: int) -> int:
    """The tax in `gross` cents at a rate in basis points, half away from zero; a reversal's is the sale's negative."""
    part = (2 * abs(gross) * rate + 10_000 + rate) // (2 * (10_000 + rate))
    return part if gross >= 0 else -part


def _paid(
    details: Mapping[str, Any], asked: Mapping[str, int], rates: Mapping[str, int], till: dict[str, int]
) -> dict[str, int]:
    """Euro cents that paid for the prices of each currency. Where no tenders are told, each money paid its own."""
    paid: dict[str, int] = {}
    if "tenders" in details:
        for it in details["tenders"]:
            code = it.get("covers") or it["currency"]
            paid[code] = paid.get(code, 0) + it["amount"] * rates.get(it["currency"], 0)
    elif not details.get("rest"):
        paid = {code: amount * rates.get(code, 0) for code, amount in asked.items()}
    for it in details.get("rest", ()):
        cents = it["amount"] * rates.get(it["covers"], 0)
        if it["means"] != "house" and cents:
            paid[it["covers"]] = paid.get(it["covers"], 0) + cents
            till[it["means"]] = till.get(it["means"], 0) + cents
    return paid


def _share_out(goods: dict[Rate, int], cents: int, prices: Mapping[Rate, int], rate: int) -> None:
    """What was paid, over the rates of what it paid for, in proportion to the prices and to the cent."""
    if not cents:
        return
    kinds = sorted(prices, key=lambda it: (it is None, it or 0))
    full = [prices[it] * rate for it in kinds]
    if sum(full) == cents:
        parts = full
    elif cents > 0 and kinds and min(prices.values()) >= 0 and sum(prices.values()) > 0:
        parts = share(cents, [prices[it] for it in kinds])
    else:
        # A bottle that came back cost more than the goods of its rate: what is left is of the rate that sold most.
        most = max(kinds, key=lambda it: prices[it], default=None)
        kinds, parts = [most], [cents]
    for kind, part in zip(kinds, parts, strict=True):
        if total := goods.get(kind, 0) + part:
            goods[kind] = total
        else:
            goods.pop(kind, None)
