"""Who bears what of a payment that was taken back. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """What one operation did to a wallet's overdraft, in minor units: below 0 it owes more, above 0 it repaid. `mine`:
    the operation that took the payment back; `borne`: one by which somebody else bore what it owed."""

    units: int
    mine: bool = False
    borne: bool = False


@dataclass(frozen=True, slots=True)
class Owed:
    """Of what the card no longer held: `left` it still owes, `borne` the network has borne; the rest was repaid."""

    left: int
    borne: int


def owed(changes: Iterable[Change]) -> Owed:
    """`changes` in the order in which they were booked. What is repaid settles the oldest debt first."""
    debts: deque[tuple[int, bool]] = deque()
    borne = 0
    for it in changes:
        if it.units < 0:
            debts.append((-it.units, it.mine))
            continue
        rest = it.units
        while rest and debts:
            units, mine = debts.popleft()
            part = min(rest, units)
            rest -= part
            if mine and it.borne:
                borne += part
            if units > part:
                debts.appendleft((units - part, mine))
    return Owed(sum(units for units, mine in debts if mine), borne)
