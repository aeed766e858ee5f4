"""Hours with other prices as a form: how they are typed, and the hours that they mean. Prices are called like
"price.<product>.RAF", days like "day.4"."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import time
from typing import Final
from uuid import UUID

from app.currencies.service import Currency
from app.rules.goods import LINE_MAX, is_line
from app.venues.hours import Hours
from app.venues.product_form import price_of, price_typed
from app.venues.service import Product
from app.web import N_, Texts

DAYS: Final = (
    N_("Monday"),
    N_("Tuesday"),
    N_("Wednesday"),
    N_("Thursday"),
    N_("Friday"),
    N_("Saturday"),
    N_("Sunday"),
)


def blank() -> dict[str, str]:
    return {"begins": "18:00", "ends": "20:00"}


def filled(it: Hours, currencies: Mapping[str, Currency], language: str) -> dict[str, str]:
    """The hours as they would be typed."""
    typed = {"name": it.name, "begins": it.begins.isoformat("minutes"), "ends": it.ends.isoformat("minutes")}
    typed |= {f"day.{day}": "yes" for day in it.weekdays}
    for product, prices in it.prices.items():
        for code, minor in prices.items():
            typed[f"price.{product}.{code}"] = price_typed(minor, currencies[code], language)
    return typed


def asked(sold: Sequence[Product], accepted: Collection[Currency]) -> list[tuple[Product, list[Currency]]]:
    """What may cost something else, and in which currencies: those in which it has a price."""
    found = [(it, [one for one in accepted if one.code in it.prices]) for it in sold]
    return [(it, priced) for it, priced in found if priced]


def understood(
    id_: UUID,
    typed: Mapping[str, str],
    sold: Sequence[Product],
    accepted: Collection[Currency],
    taken: Collection[str],
    texts: Texts,
) -> tuple[Hours, dict[str, str]]:
    """(the hours, what is wrong by input). `taken`: names of the venue's other hours."""
    said = {name: text.strip() for name, text in typed.items()}
    wrong: dict[str, str] = {}
    name = said.get("name", "")
    if not is_line(name):
        wrong["name"] = texts.gettext("Write a name.")
    elif len(name) > LINE_MAX:
        wrong["name"] = texts.gettext("This is too long: %(num)s characters at most.", num=LINE_MAX)
    elif name in taken:
        wrong["name"] = texts.gettext("Other hours of this venue have this name.")
    days = frozenset(day for day in range(len(DAYS)) if said.get(f"day.{day}") == "yes")
    if not days:
        wrong["days"] = texts.gettext("Choose at least one day.")
    begins, ends = (_clock(said, which, texts, wrong) for which in ("begins", "ends"))
    prices: dict[UUID, dict[str, int]] = {}
    for it, priced in asked(sold, accepted):
        for one in priced:
            where = f"price.{it.id}.{one.code}"
            if (found := price_of(said, where, one, texts, wrong)) is not None:
                prices.setdefault(it.id, {})[one.code] = found
    if not prices and not any(where.startswith("price.") for where in wrong):
        wrong["prices"] = texts.gettext("Write another price for at least one product.")
    return Hours(id_, name, days, begins, ends, prices), wrong


def _clock(said: Mapping[str, str], which: str, texts: Texts, wrong: dict[str, str]) -> time:
    if re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", said.get(which, "")):
        return time.fromisoformat(said[which])
    wrong[which] = texts.gettext("Write a time of day such as 18:00.")
    return time()
