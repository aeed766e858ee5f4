"""Who bears what of a payment that was taken back, and how often a provider is asked. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

FIRST_US = 30 * 1_000_000
LONGEST_US = 6 * 3600 * 1_000_000
# The slowest means of payment are known by then; a provider is not asked for ever.
LAST_US = 40 * 24 * 3600 * 1_000_000


def ask_again_us(begun_us: int, asked: int, now_us: int) -> int | None:
    """When to ask a provider again what became of a payment, after having asked so many times: after half a minute, a
    minute, two, up to six hours. None: no more."""
    if now_us - begun_us > LAST_US:
        return None
    return now_us + min(FIRST_US << min(asked, 20), LONGEST_US)


def gift_back(gift_amount: int, euro_cents: int, taken_cents: int) -> int:
    """Of the gift that came with a payment, what goes when so much of the payment is taken back: its share, rounded
    down, so that shares of parts are never more than the whole."""
    return gift_amount * taken_cents // euro_cents


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
