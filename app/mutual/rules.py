"""What trades, round-ups and memberships come to. Pure; amounts in minor units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from app.rules.fees import fee
from app.rules.policy import Beneficiary, Fee

# Those of Cagibig (contributeur, utilisateur, hébergeur, mutualisateur): who lends, who borrows, who keeps the things,
# who shares a purchase.
Role = Literal["contributor", "user", "host", "mutualiser"]
ROLES: tuple[Role, ...] = ("contributor", "user", "host", "mutualiser")

Means = Literal["online", "cash", "transfer", "card"]

CENTS_PER_EURO = 100


@dataclass(frozen=True, slots=True)
class Commission:
    """`amount` of the currency, or that many euro cents (`in_euros`): of a mutual currency one unit counts one euro."""

    amount: int
    payer: Literal["buyer", "seller"]
    beneficiary: Beneficiary
    in_euros: bool


def commission(amount: int, terms: Fee) -> Commission | None:
    """What a trade over `amount` costs whom by the currency's policy; None where it costs nothing."""
    due = fee(amount, terms)
    if not due:
        return None
    payer: Literal["buyer", "seller"] = "buyer" if terms.payer in {"buyer", "holder"} else "seller"
    return Commission(due, payer, terms.beneficiary, terms.in_euros)


def round_up(amount: int, unit: int = CENTS_PER_EURO) -> int:
    """What is missing to the next whole unit; nothing where `amount` is whole already."""
    return -amount % unit
