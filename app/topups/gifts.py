"""What an online top-up earns besides, by the rules of its currency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.currencies.service import Currency
from app.rules.policy import Bonus, Policy

WHOLE = 100  # minor units


@dataclass(frozen=True, slots=True)
class Gift:
    """What a top-up earns besides, in minor units of a gift currency."""

    currency: str
    amount: int


@dataclass(frozen=True, slots=True)
class Donation:
    """Of a top-up, what its payer gives to a fund, in minor units of the same currency."""

    to: str
    amount: int


def rounded_up(rules: Policy, amount: int) -> Donation | None:
    """What is missing to the next whole unit, for whom the rules name; None where nothing is."""
    to, missing = rules.spending.top_up_round_up, -amount % WHOLE
    return Donation(to, missing) if to and missing else None


def gifts_of(known: Mapping[str, Currency], rules: Mapping[str, Policy]) -> dict[str, Bonus]:
    """By currency, the gift that its online top-ups earn. A gift is given by whoever issues the money topped up."""
    return {
        code: bonus
        for code, it in known.items()
        if (bonus := rules[code].bonus).gift in known
        and known[bonus.gift].kind == "gift"
        and known[bonus.gift].issuer == it.issuer
    }


def gift_for(
    known: Mapping[str, Currency], rules: Mapping[str, Policy], currency: Currency, amount: int
) -> Gift | None:
    """What topping up so much online earns. `known`: all currencies of the network, `rules`: theirs now."""
    bonus = gifts_of(known, rules).get(currency.code)
    earned = bonus.of(amount) if bonus is not None else 0
    return Gift(bonus.gift, earned) if bonus is not None and earned else None
