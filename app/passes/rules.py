"""What a pass is, and how its price is shared between its dates. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

Kind = Literal["pass", "subscription"]
State = Literal["held", "paying", "paid", "released", "closed"]

NAME_MAX: Final = 60
DATES_MAX: Final = 20
AMOUNT_MAX: Final = 100_000_000
QUOTA_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class Date:
    """A place at `event`, counted at its `price`. `weight`: what of the whole is this date's, beside the others."""

    event: UUID
    price: UUID
    weight: int


@dataclass(frozen=True, slots=True)
class Plan:
    """`venue`: who sells it. `places`: of a subscription, how many dates its holder chooses. `dates` by event."""

    id: UUID
    venue: UUID
    kind: Kind
    name_fr: str
    name_en: str
    currency: str
    amount: int
    places: int
    quota: int | None = None
    sale_until_us: int | None = None
    held: int = 0
    sold: int = 0
    ended_at_us: int | None = None
    dates: tuple[Date, ...] = ()

    def name(self, language: str) -> str:
        return (self.name_fr or self.name_en) if language == "fr" else (self.name_en or self.name_fr)

    @property
    def left(self) -> int | None:
        """None: as many as the dates have places."""
        return None if self.quota is None else max(0, self.quota - self.held - self.sold)

    def on_sale(self, now_us: int) -> bool:
        return self.ended_at_us is None and (self.sale_until_us is None or now_us < self.sale_until_us)

    def date(self, event: UUID) -> Date | None:
        return next((it for it in self.dates if it.event == event), None)


def shares(amount: int, weights: Mapping[UUID, int]) -> dict[UUID, int]:
    """The whole amount between those that weigh something, none lost: each has its part rounded down, and what is left
    goes one by one to those of whom most was cut off (of equal ones, the first id)."""
    whole = sum(weights.values())
    if amount < 0 or whole <= 0 or min(weights.values()) < 0:
        raise ValueError("an amount is shared between those that weigh something")
    found = {id_: amount * weight // whole for id_, weight in weights.items()}
    cut = sorted(weights, key=lambda id_: (-(amount * weights[id_] % whole), id_))
    for id_ in cut[: amount - sum(found.values())]:
        found[id_] += 1
    return found


def shares_of(plan: Plan) -> dict[UUID, int]:
    """By event of a pass, what of its price is for that date."""
    return shares(plan.amount, {it.event: it.weight for it in plan.dates})


def next_share(amount: int, places: int, used: Sequence[int]) -> int:
    """What of a subscription's price is for the place that is chosen now: `used`, for those chosen before. The places'
    parts differ by one minor unit at most, and all of them are the amount."""
    base, more = divmod(amount, places)
    if len(used) >= places:
        raise ValueError("all of its places are chosen")
    return base + (1 if sum(it > base for it in used) < more else 0)
