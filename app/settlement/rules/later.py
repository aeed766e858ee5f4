"""What is settled later: of a venue's statement, amounts that are put off to the next run. Pure.

What is put off is no part of this run and stays where it is in the books, so the next run finds it again: a claim is
not redeemed, cash is not kept back, what an earlier run left unpaid or a fee that was billed waits once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from app.rules.fees import fee
from app.rules.policy import Fee
from app.settlement.rules.amounts import NETWORK, NO_FEE, Figures, Part, Redeemed, totals

# Kinds of lines of which an amount may wait, and whether it is owed to the venue.
KINDS: Final[Mapping[str, bool]] = {"claim": True, "carried": True, "cash": False, "fees_owed": False}


@dataclass(frozen=True, slots=True)
class Later:
    """`units` of a line of this kind: a claim's in minor units of its currency, others in euro cents."""

    kind: str
    issuer: str
    currency: str
    units: int


def most(of: Figures, kind: str, issuer: str, currency: str) -> int:
    """How much of such a line can wait, in its units; 0: it is settled now or not at all."""
    parts = [it for it in of.parts if it.issuer == issuer]
    match kind:
        case "claim":
            return sum(it.units for part in parts for it in part.redeemed if it.currency == currency)
        case "carried":
            return max(0, sum(it.carried for it in parts))
        case "cash":
            return max(0, sum(it.due for it in parts))
        case "fees_owed":
            return max(0, of.owed_fees)
        case _:
            return 0


def without(of: Figures, owner: str, waiting: Sequence[Later], fees: Mapping[str, Fee]) -> Figures:
    """The figures of one venue for what is settled now. `fees`: of each currency, for exchanging it at the cut-off.

    ValueError: more is to wait than there is.
    """
    for it in waiting:
        asked = _units(waiting, it.kind, it.issuer, it.currency)
        if not 0 <= asked <= most(of, it.kind, it.issuer, it.currency):
            raise ValueError(f"{asked} of a {it.kind} cannot wait")
    parts = tuple(_part(it, owner, waiting, fees) for it in of.parts)
    owed_fees = of.owed_fees - sum(it.units for it in waiting if it.kind == "fees_owed")
    return totals(parts, of.issued, of.issued_before, owed_fees, of.new_fees)


def cents_of(before: Figures, now: Figures, it: Later) -> int:
    """What the line of `it` adds less to what the venue is owed, with its fee; above 0 where the venue waits for it."""
    if it.kind != "claim":
        return it.units if KINDS[it.kind] else -it.units
    one, other = (_redeemed(of, it.issuer, it.currency) for of in (before, now))
    return one - other


def _redeemed(of: Figures, issuer: str, currency: str) -> int:
    parts = (part for part in of.parts if part.issuer == issuer)
    return sum(it.cents - it.fee for part in parts for it in part.redeemed if it.currency == currency)


def _part(of: Part, owner: str, waiting: Sequence[Later], fees: Mapping[str, Fee]) -> Part:
    redeemed = tuple(_less(of, waiting, it, owner, fees) for it in of.redeemed)
    carried = of.carried - _units(waiting, "carried", of.issuer)
    due = of.due - _units(waiting, "cash", of.issuer)
    new = replace(of, redeemed=tuple(it for it in redeemed if it.units), carried=carried, due=due)
    return replace(new, offset=0 if of.issuer == NETWORK else min(new.owed, due))


def _less(of: Part, waiting: Sequence[Later], it: Redeemed, owner: str, fees: Mapping[str, Fee]) -> Redeemed:
    wait = _units(waiting, "claim", of.issuer, it.currency)
    if not wait:
        return it
    units, rate = it.units - wait, it.cents // it.units
    terms = fees.get(it.currency, NO_FEE)
    charged = terms.payer == "venue" and of.issuer != owner
    return Redeemed(it.currency, units, units * rate, min(units, fee(units, terms)) * rate if charged else 0)


def _units(waiting: Iterable[Later], kind: str, issuer: str, currency: str | None = None) -> int:
    return sum(
        it.units for it in waiting if it.kind == kind and it.issuer == issuer and currency in {None, it.currency}
    )
