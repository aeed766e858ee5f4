"""What of a sale goes where: to the venue's claim, to a fund, to the deposits of a currency and back. Pure.

A deposit is set aside in the currency it is priced in, by what cards pay of that currency; what is paid in cash stays
in the venue's till. Deposits that come back go to the sale's card first, and then pay what the card owes: so every flow
is the one that app.ledger's worked examples name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

from app.rules.lines import sums
from app.wire import Sale

Place = Literal["claim", "fund", "deposit", "back"]


class Move(NamedTuple):
    """`amount` minor units of `currency` from a card: to the venue's claim, to the `fund` of a beneficiary, or set
    aside as a `deposit`. `back`: to the card, from what was set aside."""

    card: str
    currency: str
    amount: int
    to: Place = "claim"
    fund: str = ""


def moves_of(sale: Sale, tips_to: str | None, round_up_to: str | None) -> list[Move]:
    """All that a sale moves, in the order in which it is booked. `tips_to`: the fund of the venue's tips, if it has
    one; `round_up_to`: the beneficiary of the sale's round-up."""
    found = [*_tenders(sale, tips_to)]
    more = sale.round_up
    if more is not None and round_up_to:
        found.append(Move(sale.card, more.currency, more.amount, "fund", round_up_to))
    return found


def _tenders(sale: Sale, tips_to: str | None) -> Iterator[Move]:
    if sale.plain:
        yield from (Move(it.card or sale.card, it.currency, it.amount) for it in sale.tenders)
        return
    deposits = sums(sale.lines, "deposit")
    tips = sums(sale.lines, "tip") if tips_to else {}
    back = {code: -amount for code, amount in deposits.items() if amount < 0} if sale.card else {}
    for code, amount in sorted(back.items()):
        yield Move(sale.card, code, amount, "back")
    for it in sale.tenders:
        card, left = it.card or sale.card, it.amount
        if it.price_currency == it.currency:
            if card == sale.card:
                left += back.pop(it.currency, 0)
            for of, to, fund in ((deposits, "deposit", ""), (tips, "fund", tips_to or "")):
                part = min(left, max(0, of.get(it.currency, 0)))
                if part > 0:
                    yield Move(card, it.currency, part, to, fund)  # type: ignore[arg-type]
                    of[it.currency] -= part
                    left -= part
        if left:
            yield Move(card, it.currency, left)
    # A cup that comes back beside goods whose price other money, or none, pays the rest of.
    for code, amount in sorted(back.items()):
        yield Move(sale.card, code, amount)
