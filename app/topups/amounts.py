"""Amounts as they are offered and typed on forms: chips, a free field, and the limits in words."""

from __future__ import annotations

from dataclasses import dataclass

from app.currencies.service import Currency
from app.money import AmountNotUnderstood, Unit, format_amount, parse_amount
from app.platform.errors import DomainError
from app.rules.policy import Bonus
from app.venues.rules import NetworkSettings
from app.web import Texts

CHIPS = (10, 20, 30, 50)


@dataclass(frozen=True, slots=True)
class Limits:
    """The least and the most that may be topped up at once, in minor units of one pegged currency."""

    least: int
    most: int

    def within(self, amount: int) -> bool:
        return self.least <= amount <= self.most


def limits_of(settings: NetworkSettings, currency: Currency) -> Limits:
    return Limits(*settings.top_up_limits(currency.cents_per_unit))


def chips_of(currency: Currency, limits: Limits) -> list[int]:
    """The amounts offered, in minor units."""
    whole = 1 if currency.unit is Unit.POINT else 100
    return [chip * whole for chip in CHIPS if limits.within(chip * whole)]


def chosen_amount(chip: str, typed: str, currency: Currency) -> int:
    """What the form says, in minor units: what was typed counts before a chip. Raises AmountNotUnderstood."""
    if typed.strip():
        return parse_amount(typed, currency.unit)
    if not chip.isascii() or not chip.isdigit() or len(chip) > 12:
        raise AmountNotUnderstood(chip)
    return int(chip)


def limits_in_words(limits: Limits, currency: Currency, texts: Texts) -> str:
    return texts.gettext(
        "From %(least)s to %(most)s",
        least=currency.text(limits.least, texts.language),
        most=currency.text(limits.most, texts.language),
    )


def price_in_words(currency: Currency, texts: Texts) -> str:
    """What one whole unit costs, where that is not told by the currency being written in euros."""
    if currency.symbol == "€" or currency.cents_per_unit is None:
        return ""
    whole = 1 if currency.unit is Unit.POINT else 100
    euros = format_amount(whole * currency.cents_per_unit, Unit.CENT, "€", texts.language)
    return texts.gettext("%(unit)s costs %(euros)s", unit=currency.text(whole, texts.language), euros=euros)


def gift_in_words(currency: Currency, gift: Currency, bonus: Bonus, texts: Texts) -> str:
    """What a top-up earns besides, before anybody pays."""
    return texts.gettext(
        "From %(reached)s: %(amount)s of %(gift)s as a gift",
        reached=currency.text(bonus.reached, texts.language),
        amount=gift.text(bonus.amount, texts.language),
        gift=gift.names[texts.language],
    )


def problem_in_words(error: AmountNotUnderstood | DomainError, limits: Limits, currency: Currency, texts: Texts) -> str:
    """Why an amount was not taken, and what can be."""
    if isinstance(error, AmountNotUnderstood):
        example = "12,50" if texts.language == "fr" else "12.50"
        return texts.gettext("Write an amount such as 25 or %(example)s. Nothing was charged.", example=example)
    words = limits_in_words(limits, currency, texts)
    return texts.gettext("%(limits)s at a time. Nothing was charged.", limits=words)
