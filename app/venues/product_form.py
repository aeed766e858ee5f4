"""A product as a form: how it is typed, and the product that it means. Prices are called like "price.RAF"."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final, cast
from uuid import UUID

from app.currencies.service import Currency
from app.money import (
    AmountNotUnderstood,
    RateNotUnderstood,
    Unit,
    format_amount,
    format_rate,
    parse_amount,
    parse_rate,
)
from app.rules.basket import UNIT_PRICE_MAX
from app.rules.goods import COLOUR, LINE_MAX, is_colour, is_line, is_vat, may_be_open
from app.rules.lines import ProductKind
from app.venues.service import Product
from app.web import N_, Texts

KINDS: Final[tuple[tuple[ProductKind, str], ...]] = (
    ("goods", N_("Something that is sold")),
    ("deposit", N_("A deposit, such as for a cup")),
    ("return", N_("What is brought back, such as a cup")),
)


def blank(places: int) -> dict[str, str]:
    return {"colour": COLOUR, "kind": "goods", "place": str(places + 1)}


def filled(it: Product, place: int, currencies: Mapping[str, Currency], language: str) -> dict[str, str]:
    """The product as it would be typed."""
    typed = {"name_fr": it.name_fr, "name_en": it.name_en, "category": it.category, "colour": it.colour}
    typed |= {"kind": it.kind, "place": str(place)} | ({"open_price": "yes"} if it.open_price else {})
    typed |= {} if it.vat is None else {"vat": format_rate(it.vat, language)}
    for code, minor in it.prices.items():
        typed[f"price.{code}"] = price_typed(minor, currencies[code], language)
    return typed


def price_typed(minor: int, currency: Currency, language: str) -> str:
    """A price as it would be typed."""
    text = format_amount(minor, currency.unit, "", language).strip()
    # English groups thousands with commas, which are read as decimal ones.
    return text.replace(",", "") if language == "en" else text


def understood(
    id_: UUID, typed: Mapping[str, str], accepted: Collection[Currency], taken: Collection[str], texts: Texts
) -> tuple[Product, int, dict[str, str]]:
    """(the product, its place, what is wrong by input). `taken`: names of what else the venue sells."""
    said = {name: text.strip() for name, text in typed.items()}
    wrong: dict[str, str] = {}
    for name in ("name_fr", "name_en", "category"):
        if not is_line(said.get(name, "")):
            wrong[name] = texts.gettext("Write a name.")
        elif len(said[name]) > LINE_MAX:
            wrong[name] = texts.gettext("This is too long: %(num)s characters at most.", num=LINE_MAX)
    if said.get("name_fr") in taken:
        wrong["name_fr"] = texts.gettext("This venue sells something of this name already.")
    colour = said.get("colour", "").lower()
    if not is_colour(colour):
        wrong["colour"] = texts.gettext("Choose a colour.")
    kind = cast("ProductKind", said.get("kind", ""))
    if kind not in dict(KINDS):
        wrong["kind"] = texts.gettext("Choose what it is.")
    open_price = said.get("open_price") == "yes"
    if open_price and kind in dict(KINDS) and not may_be_open(kind):
        wrong["open_price"] = texts.gettext("Only the price of something that is sold may be typed.")
    place = said.get("place", "")
    if not (place.isascii() and place.isdecimal() and 1 <= int(place[:6]) == int(place)):
        wrong["place"], place = texts.gettext("Write a whole number."), "1"
    prices, vat = _prices(said, accepted, texts, wrong), _vat(said.get("vat", ""), texts, wrong)
    fr, en, category = (said.get(name, "") for name in ("name_fr", "name_en", "category"))
    product = Product(id_, fr, en, category, colour, prices, kind, open_price, vat=vat)
    return product, int(place), wrong


def _vat(said: str, texts: Texts, wrong: dict[str, str]) -> int | None:
    """Basis points; None where nothing is said."""
    if not said:
        return None
    try:
        rate = parse_rate(said)
    except RateNotUnderstood:
        wrong["vat"] = texts.gettext("Write a rate such as 20 or 5.5.")
        return None
    if not is_vat(rate):
        wrong["vat"] = texts.gettext("A rate cannot be above 100 %%.")
    return rate


def _prices(
    said: Mapping[str, str], accepted: Collection[Currency], texts: Texts, wrong: dict[str, str]
) -> dict[str, int]:
    """Minor units by currency; without a price it is not sold for that currency."""
    found = {}
    for it in accepted:
        if (price := price_of(said, f"price.{it.code}", it, texts, wrong)) is not None:
            found[it.code] = price
    return found


def price_of(said: Mapping[str, str], name: str, currency: Currency, texts: Texts, wrong: dict[str, str]) -> int | None:
    """Minor units that were typed into an input; None where nothing was, or what is no price."""
    if not said.get(name):
        return None
    try:
        found = parse_amount(said[name], currency.unit)
    except AmountNotUnderstood:
        wrong[name] = {
            Unit.CENT: texts.gettext("Write an amount such as 12.50."),
            Unit.MINUTE: texts.gettext("Write a time such as 3 h, 2 h 30 or 45 min."),
            Unit.POINT: texts.gettext("Write a whole number of points."),
        }[currency.unit]
        return None
    if found > UNIT_PRICE_MAX:
        wrong[name] = texts.gettext("No price is that high.")
    return found
