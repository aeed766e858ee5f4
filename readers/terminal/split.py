"""How a basket is divided among the cards that pay it, and what staff take themselves.

The decision is app.rules.paying's, the same as the server's. A terminal asks it about what it knows, and may lean on a
card for more than that: the holder may have topped up a minute ago, and what the terminal may risk without network is
decided elsewhere (app.rules.offline).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.rules.paying import Money, Payment, Purse, Short, pay
from app.wire import Rest, Tender
from readers.terminal.counter import Held
from readers.terminal.shop import Basket
from readers.terminal.view import Offer, RestMeans

CARDS_MAX = 2


@dataclass(frozen=True, slots=True)
class Split:
    """Tenders and rest that pay a basket exactly.

    `missing` is how much of the prices in each currency no card is known to hold; the tenders take it from the last.
    """

    tenders: tuple[Tender, ...]
    rest: tuple[Rest, ...]
    missing: Mapping[str, int]

    @property
    def paid_by_cards(self) -> bool:
        """Whether these cards pay anything of it, or there is nothing to pay: what comes back is worth what is bought.
        Otherwise they can't pay it, whatever they hold."""
        return bool(self.tenders) or not (self.rest or self.missing)


def split(basket: Basket, held: Sequence[Held], rest: RestMeans | None = None) -> Split:
    """Divide a basket: the first card pays what it can, then the next; then staff take the `rest`, if they said so."""
    known = [dict(one.available) for one in held]
    first = _pay(basket, known, rest_allowed=rest is not None)
    if isinstance(first, Payment):
        return _split(first, held, rest, {})
    leaning = known[-1]
    for code, minor in first.missing.items():
        leaning[code] = max(0, leaning.get(code, 0)) + minor
    second = _pay(basket, known, rest_allowed=rest is not None)
    if isinstance(second, Short):
        return Split((), (), first.missing)
    return _split(second, held, rest, first.missing)


def offers(basket: Basket, held: Sequence[Held]) -> tuple[Offer, ...]:
    """What staff may do when these cards can't pay a basket whole. A card that can pay nothing of it is no help."""
    known = [dict(one.available) for one in held]
    with_rest = _pay(basket, known, rest_allowed=True)
    found: list[Offer] = []
    # A ticket is paid by cards alone or without any: in the books of its event it is one or the other.
    if isinstance(with_rest, Payment) and with_rest.tenders and with_rest.rest and not basket.has_tickets:
        found += [it for it in basket.means if it != "house"]
    if len(held) < CARDS_MAX and (found or _hold_any(with_rest, known)):
        found.append("second_card")
    return tuple(found)


def _hold_any(outcome: Payment | Short, known: Sequence[Mapping[str, int]]) -> bool:
    return isinstance(outcome, Short) and any(purse.get(code, 0) > 0 for purse in known for code in outcome.missing)


def _pay(basket: Basket, known: Sequence[Mapping[str, int]], *, rest_allowed: bool) -> Payment | Short:
    purses = [Purse({it.code: _spendable(it, one) for it in basket.moneys}) for one in known]
    return pay(basket.items, purses, basket.moneys, basket.venue, rest_allowed=rest_allowed)


def _spendable(money: Money, available: Mapping[str, int]) -> int:
    # A member's credit in mutual money is the room between the balance and a floor below 0.
    return max(0, available.get(money.code, 0) - money.policy.limits.floor)


def _split(payment: Payment, held: Sequence[Held], rest: RestMeans | None, missing: Mapping[str, int]) -> Split:
    tenders = []
    for one in payment.tenders:
        # What a sale does not need to say is left out, so that a sale in one currency reads as it always did.
        own = one.covers == one.currency
        tenders.append(
            Tender(
                currency=one.currency,
                amount=one.amount,
                covers=None if own else one.covers,
                covered=None if own else one.covered,
                card=held[one.purse].card.uid if one.purse else None,
            )
        )
    taken = tuple(Rest(means=rest, covers=one.covers, amount=one.amount) for one in payment.rest) if rest else ()
    return Split(tuple(tenders), taken, missing)
