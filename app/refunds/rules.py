"""What a refund comes to, when it may be asked for, and whom it waits for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Literal

from app.eventclosing.rules import Window
from app.rules.policy import Policy, Refund

WHOLE = 10_000  # basis points

Status = Literal[
    "waiting", "setting", "ready", "sending", "sent", "paid", "failed", "cancelling", "cancelled", "nothing"
]
Way = Literal["bank", "cards"]
Proof = Literal["tap", "code", "account", "address", "staff"]

ENDED: Final[frozenset[Status]] = frozenset({"paid", "cancelled", "nothing"})
# While the money is not on its way, its holder may think again.
CANCELLABLE: Final[frozenset[Status]] = frozenset({"waiting", "ready", "failed"})

Closed = Literal["off", "early", "over", ""]


@dataclass(frozen=True, slots=True)
class Part:
    """Of one currency: `units` off the card are worth `cents` to the holder and `fee_cents` to the network."""

    currency: str
    issuer: str
    units: int
    cents: int
    fee_cents: int


@dataclass(frozen=True, slots=True)
class Heard:
    """A till: when it was last heard of; since when it surely knows what the server knew (None: it did not say), and
    how many rows it had still to send then."""

    name: str
    seen_at_us: int
    learnt_at_us: int | None
    waiting: int


def closed(policy: Policy, today: date) -> Closed:
    """Why it may not be asked for on this day; "" where it may."""
    if "holders" not in policy.redeem.who:
        return "off"
    if policy.refund.opens and today < date.fromisoformat(policy.refund.opens):
        return "early"
    if policy.refund.closes and today > date.fromisoformat(policy.refund.closes):
        return "over"
    return ""


def in_windows(policy: Policy, windows: Sequence[Window], today: date) -> Policy:
    """With the days of refunds that matter today: the policy's own where they last, else those of an event that are
    going on or come next. `windows`: the earliest first."""
    reason = closed(policy, today)
    coming = next((it for it in windows if today <= it.closes), None)
    if reason in {"", "off"} or coming is None or (reason == "early" and str(coming.opens) >= policy.refund.opens):
        return policy
    days = replace(policy.refund, opens=coming.opens.isoformat(), closes=coming.closes.isoformat())
    return replace(policy, refund=days)


def fee(cents: int, terms: Refund, rate: int) -> int:
    """Euro cents that the network keeps of so many; `rate`: euro cents per minor unit of the currency. Never more than
    there is."""
    charged = terms.fixed * rate + (cents * terms.basis_points + WHOLE // 2) // WHOLE
    return min(cents, charged) if cents > 0 else 0


def part(currency: str, issuer: str, units: int, terms: Refund, rate: int) -> Part | None:
    """What so many units come to; None where nothing is paid out: too little, or eaten up by the fee."""
    cents = units * rate
    kept = fee(cents, terms, rate)
    if units <= 0 or units < terms.minimum or cents <= kept:
        return None
    return Part(currency, issuer, units, cents - kept, kept)


def waits_for(tills: Iterable[Heard], asked_at_us: int, now_us: int, grace_us: int) -> list[Heard]:
    """Tills that may still have sold to a card after it was blocked at `asked_at_us`: those that do not know of the
    block, or have rows to send. One that was silent for the whole grace before, and any once it is over, is waited for
    no more."""
    if now_us >= asked_at_us + grace_us:
        return []
    return [
        it
        for it in tills
        if it.seen_at_us > asked_at_us - grace_us
        and (it.learnt_at_us is None or it.learnt_at_us < asked_at_us or it.waiting)
    ]


def shared(cents: int, rooms: Sequence[int]) -> list[int]:
    """`cents` over payments in their order, never more than the room of each; what does not fit is left over."""
    found = []
    for room in rooms:
        taken = min(cents, max(0, room))
        found.append(taken)
        cents -= taken
    return found
