"""What lapses, when, and how much of it: pure, so that a notice, a preview and the booking come to the same.

A wallet's money is spent oldest first. So what came in after an instant never lapses for what was there at it, and
every payment since then comes off what may still lapse. Whatever is rounded is rounded in favour of the holder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal
from uuid import UUID, uuid5

from app.rules.business_day import business_day, day_start_us
from app.rules.policy import CurrencyKind, Growth, Lapse

Effect = Literal["demurrage", "dormancy", "expiry"]
# The order in which they are booked where they fall due at one instant: what melts first leaves less to lapse whole.
EFFECTS: tuple[Effect, ...] = ("demurrage", "dormancy", "expiry")

DAY_US = 24 * 3600 * 1_000_000
WHOLE = 10_000
# The daily run announces this much ahead of the notice that a policy asks for, so that a night without a server does
# not put anything off.
LEAD_DAYS = 2

_NAMESPACE = UUID("5f0f1c7e-3c53-4d0b-9f6b-6a4f0a2f7d11")


@dataclass(frozen=True, slots=True)
class Wallet:
    """One wallet at an instant, and since. Minor units; instants in microseconds.

    `balance`: at the instant. `seasoned`: how much of it had been there for the whole time of grace. `spent_since`:
    what left after the instant. `free`: what it holds now beside what is set aside. `received_us`, `moved_us`: when it
    last received any, and when its holder last moved any, before the instant (None: never).
    """

    owner: str
    balance: int
    seasoned: int
    spent_since: int
    free: int
    received_us: int | None
    moved_us: int | None

    @property
    def remaining(self) -> int:
        """What is left of the balance of then and may be taken now."""
        return max(0, min(self.balance - self.spent_since, self.free))

    def less(self, amount: int, *, before: bool) -> Wallet:
        """The same wallet once so much of it has lapsed: `before` the instant, or since."""
        free = self.free - amount
        if not before:
            return replace(self, spent_since=self.spent_since + amount, free=free)
        return replace(self, balance=self.balance - amount, seasoned=max(0, self.seasoned - amount), free=free)


@dataclass(frozen=True, slots=True)
class Due:
    """When an effect falls due: `period` is the business day that begins at `at_us`."""

    period: date
    at_us: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """Business days of the network: everything lapses at the turn of a day."""

    zone: str

    def day_of(self, at_us: int) -> date:
        return business_day(at_us, self.zone)

    def start(self, day: date) -> Due:
        return Due(day, day_start_us(day, self.zone))

    def turn_after(self, at_us: int) -> Due:
        """The first turn of a day at or after an instant."""
        today = self.start(business_day(at_us, self.zone))
        return today if today.at_us >= at_us else self.start(today.period + timedelta(days=1))


def lapses(kind: CurrencyKind, lapse: Lapse) -> tuple[Effect, ...]:
    """The effects that a policy switches on; none of pegged money without its legal ground."""
    if kind == "pegged" and not lapse.legal_ground.strip():
        return ()
    on = {
        "demurrage": lapse.demurrage_basis_points > 0,
        "dormancy": lapse.dormant_after_days is not None,
        "expiry": lapse.expires_after_days is not None,
    }
    return tuple(it for it in EFFECTS if on[it])


def taken(effect: Effect, kind: CurrencyKind, lapse: Lapse, wallet: Wallet, at_us: int) -> int:
    """How much of the wallet lapses at `at_us`, in minor units: never more than what is left of what was there then."""
    if effect not in lapses(kind, lapse):
        return 0
    if effect == "demurrage":
        base = min(wallet.balance, wallet.seasoned) - lapse.demurrage_free
        return min(max(0, base) * lapse.demurrage_basis_points // WHOLE, wallet.remaining)
    deadline = _deadline(effect, lapse, wallet)
    return wallet.remaining if deadline is not None and deadline <= at_us else 0


def taken_under_notice(
    announced: int, effect: Effect, kind: CurrencyKind, lapse: Lapse, wallet: Wallet, at_us: int
) -> int:
    """What is booked: what the policy in force at `at_us` takes, and no more than the holder was told."""
    return min(announced, taken(effect, kind, lapse, wallet, at_us))


def due_of(effect: Effect, lapse: Lapse, wallet: Wallet, now_us: int, calendar: Calendar) -> Due | None:
    """When the whole of a wallet lapses, if its notice is to be given now; None for one that is not near its end.

    Whose notice comes late (the server was down, the policy is new) has it as long as everybody else.
    """
    deadline = _deadline(effect, lapse, wallet)
    if deadline is None or deadline > _horizon_us(lapse, now_us):
        return None
    return calendar.turn_after(max(deadline, now_us + lapse.notice_days * DAY_US))


def demurrage_due(lapse: Lapse, valid_from_us: int, now_us: int, calendar: Calendar) -> Iterator[Due]:
    """The ends of periods that are to be announced now. Periods count from the day on which the policy began; one that
    could not be announced in time is nobody's loss."""
    if lapse.demurrage_basis_points <= 0:
        return
    notice_us = now_us + lapse.notice_days * DAY_US
    for due in period_ends(valid_from_us, lapse.demurrage_every_days, notice_us - 1, calendar):
        if due.at_us > _horizon_us(lapse, now_us):
            return
        yield due


def period_ends(valid_from_us: int, every_days: int, after_us: int, calendar: Calendar) -> Iterator[Due]:
    """The ends of a policy's periods that come after an instant, without end."""
    first = calendar.turn_after(valid_from_us).period
    passed = (calendar.day_of(after_us) - first).days // every_days
    number = max(1, passed)
    while True:
        due = calendar.start(first + timedelta(days=number * every_days))
        if due.at_us > after_us:
            yield due
        number += 1


def grown(growth: Growth, limit: int, sold: int) -> int:
    """A member's credit limit after a period in which they sold so much. It never shrinks."""
    more = -(-max(0, sold) * growth.basis_points // WHOLE)
    return max(limit, limit + more if growth.maximum is None else min(growth.maximum, limit + more))


def notice_id(label: str, effect: Effect, owner: str, period: date) -> UUID:
    """The one id of a notice, and of the operation that follows from it: whoever books it again books nothing."""
    return uuid5(_NAMESPACE, f"{label} {effect} {owner} {period.isoformat()}")


def _deadline(effect: Effect, lapse: Lapse, wallet: Wallet) -> int | None:
    if effect == "demurrage":
        return None
    days, since_us = (
        (lapse.expires_after_days, wallet.received_us)
        if effect == "expiry"
        else (lapse.dormant_after_days, wallet.moved_us)
    )
    return None if days is None or since_us is None else since_us + days * DAY_US


def _horizon_us(lapse: Lapse, now_us: int) -> int:
    return now_us + (lapse.notice_days + LEAD_DAYS) * DAY_US
