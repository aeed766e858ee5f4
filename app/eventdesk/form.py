"""An event and a price as forms: how they are typed, and what is meant. Times are those on the wall at the venue."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Final, cast
from uuid import UUID

from app.currencies.service import Currency
from app.eventdesk.dates import instant, local
from app.events.rules import (
    CAPACITY_MAX,
    CHANNELS,
    CONDITIONS,
    NAME_MAX,
    SUMMARY_MAX,
    TITLE_MAX,
    Channel,
    Condition,
    Event,
    Price,
)
from app.money import RateNotUnderstood, Unit, format_rate, parse_rate
from app.rules.goods import is_vat
from app.venues.product_form import price_of, price_typed
from app.venues.service import Venue
from app.web import N_, Texts

CONDITION_TEXTS: Final[Mapping[Condition, str]] = {
    "none": N_("everybody"),
    "reduced": N_("reduced: who has it shows why at the door"),
    "member": N_("members of the venue or the network"),
    "hours": N_("whoever gave their time"),
    "gift": N_("whoever was given money"),
}
CHANNEL_TEXTS: Final[Mapping[Channel, str]] = {
    "any": N_("everywhere"),
    "online": N_("online only"),
    "till": N_("at the till only"),
    "invitation": N_("by invitation only"),
}
# Who types another year has slipped.
_YEARS: Final = (2000, 2100)
# What a condition asks for is counted in minutes, whatever the money is.
_HOURS: Final = Currency("", "network", "time", Unit.MINUTE, "", "", "h", None, 0)


def filled(it: Event, zone: str, language: str) -> dict[str, str]:
    """The event as it would be typed."""
    return {
        "title_fr": it.title_fr,
        "title_en": it.title_en,
        "summary_fr": it.summary_fr,
        "summary_en": it.summary_en,
        "doors": _typed(it.doors_at_us, zone) if it.doors_at_us != it.starts_at_us else "",
        "starts": _typed(it.starts_at_us, zone),
        "ends": _typed(it.ends_at_us, zone),
        "capacity": str(it.capacity),
        "refund_until": "" if it.refund_until_us is None else _typed(it.refund_until_us, zone),
        "refund_fee": format_rate(it.refund_fee, language) if it.refund_fee else "",
    }


def understood(
    id_: UUID, typed: Mapping[str, str], at: Venue, artists: Collection[UUID], texts: Texts
) -> tuple[Event | None, dict[str, str]]:
    """(the event, or None; what is wrong by input)."""
    wrong: dict[str, str] = {}
    titles = {name: " ".join(typed.get(name, "").split()) for name in ("title_fr", "title_en")}
    summaries = {name: typed.get(name, "").replace("\r\n", "\n").strip() for name in ("summary_fr", "summary_en")}
    for kept, most in ((titles, TITLE_MAX), (summaries, SUMMARY_MAX)):
        for name, text in kept.items():
            if len(text) > most:
                wrong[name] = texts.gettext("This is too long: %(num)s characters at most.", num=most)
    if not titles["title_fr"]:
        wrong["title_fr"] = texts.gettext("Write a title.")
    starts = _instant(typed, "starts", at.zone, texts, wrong)
    ends = _instant(typed, "ends", at.zone, texts, wrong)
    doors = _instant(typed, "doors", at.zone, texts, wrong) if typed.get("doors") else starts
    if starts is not None and ends is not None and ends <= starts:
        wrong["ends"] = texts.gettext("It ends after it starts.")
    if starts is not None and doors is not None and doors > starts:
        wrong["doors"] = texts.gettext("Doors open before it starts.")
    capacity = _places(typed, "capacity", texts, wrong)
    if capacity is None and "capacity" not in wrong:
        wrong["capacity"] = texts.gettext("Write how many places there are.")
    until = _instant(typed, "refund_until", at.zone, texts, wrong) if typed.get("refund_until") else None
    fee = _rate(typed, "refund_fee", texts, wrong)
    if wrong or starts is None or ends is None or doors is None or capacity is None:
        return None, wrong
    told = (titles["title_fr"], titles["title_en"], summaries["summary_fr"], summaries["summary_en"])
    new = Event(id_, at.id, *told, doors, starts, ends, capacity, artists=tuple(artists))
    return replace(new, refund_until_us=until, refund_fee=fee), wrong


def price_filled(it: Price, known: Mapping[str, Currency], zone: str, language: str) -> dict[str, str]:
    """The price as it would be typed."""
    least = "" if it.least is None else price_typed(it.least, _asked(it.condition, known[it.currency]), language)
    return {
        "name_fr": it.name_fr,
        "name_en": it.name_en,
        "currency": it.currency,
        "amount": price_typed(it.amount, known[it.currency], language),
        "quota": "" if it.quota is None else str(it.quota),
        "condition": it.condition,
        "least": least,
        "per_wallet": "" if it.per_wallet is None else str(it.per_wallet),
        "sale_from": "" if it.sale_from_us is None else _typed(it.sale_from_us, zone),
        "sale_until": "" if it.sale_until_us is None else _typed(it.sale_until_us, zone),
        "vat": format_rate(it.vat, language),
        "channel": it.channel,
    }


def price_understood(
    id_: UUID, typed: Mapping[str, str], accepted: Mapping[str, Currency], zone: str, texts: Texts
) -> tuple[Price | None, dict[str, str]]:
    """(the price, or None; what is wrong by input)."""
    wrong: dict[str, str] = {}
    names = {name: " ".join(typed.get(name, "").split()) for name in ("name_fr", "name_en")}
    for name, text in names.items():
        if len(text) > NAME_MAX:
            wrong[name] = texts.gettext("This is too long: %(num)s characters at most.", num=NAME_MAX)
    if not names["name_fr"]:
        wrong["name_fr"] = texts.gettext("Write a name.")
    currency, amount = accepted.get(typed.get("currency", "")), None
    if currency is None:
        wrong["currency"] = texts.gettext("The venue does not take this money.")
    else:
        amount = price_of(typed, "amount", currency, texts, wrong)
        if amount is None and "amount" not in wrong:
            wrong["amount"] = texts.gettext("Write what it costs; 0 where it is free.")
    condition, channel = typed.get("condition", "none"), typed.get("channel", "any")
    if condition not in CONDITIONS:
        wrong["condition"] = texts.gettext("Choose who has it.")
    if channel not in CHANNELS:
        wrong["channel"] = texts.gettext("Choose where it is sold.")
    least = None
    if currency is not None and condition in {"hours", "gift"}:
        least = price_of(typed, "least", _asked(cast("Condition", condition), currency), texts, wrong) or None
    quota, per_wallet = _places(typed, "quota", texts, wrong), _places(typed, "per_wallet", texts, wrong)
    since = _instant(typed, "sale_from", zone, texts, wrong) if typed.get("sale_from") else None
    until = _instant(typed, "sale_until", zone, texts, wrong) if typed.get("sale_until") else None
    if since is not None and until is not None and until <= since:
        wrong["sale_until"] = texts.gettext("A sale begins before it ends.")
    vat = _rate(typed, "vat", texts, wrong)
    if wrong or currency is None or amount is None:
        return None, wrong
    price = Price(
        id_,
        names["name_fr"],
        names["name_en"],
        currency.code,
        amount,
        quota,
        cast("Condition", condition),
        since,
        until,
        vat,
        cast("Channel", channel),
        least=least,
        per_wallet=per_wallet or None,
    )
    return price, wrong


def _asked(condition: Condition, currency: Currency) -> Currency:
    """In what a condition's least is written."""
    return _HOURS if condition == "hours" else currency


def _typed(at_us: int, zone: str) -> str:
    """As a datetime-local input takes it."""
    return local(at_us, zone).strftime("%Y-%m-%dT%H:%M")


def _instant(typed: Mapping[str, str], name: str, zone: str, texts: Texts, wrong: dict[str, str]) -> int | None:
    at = None
    with suppress(ValueError):
        at = datetime.fromisoformat(typed.get(name, "").strip())
    if at is None or at.tzinfo is not None or not _YEARS[0] <= at.year < _YEARS[1]:
        wrong[name] = texts.gettext("Write a day and a time.")
        return None
    return instant(at, zone)


def _places(typed: Mapping[str, str], name: str, texts: Texts, wrong: dict[str, str]) -> int | None:
    """A number of places; None where nothing was typed, or what is none."""
    said = typed.get(name, "").strip()
    if not said:
        return None
    if not (said.isascii() and said.isdecimal() and len(said) < 8 and int(said) <= CAPACITY_MAX):
        wrong[name] = texts.gettext("Write a whole number, %(most)s at most.", most=CAPACITY_MAX)
        return None
    return int(said)


def _rate(typed: Mapping[str, str], name: str, texts: Texts, wrong: dict[str, str]) -> int:
    """Basis points; 0 where nothing is said."""
    if not typed.get(name, "").strip():
        return 0
    try:
        rate = parse_rate(typed[name])
    except RateNotUnderstood:
        wrong[name] = texts.gettext("Write a rate such as 20 or 5.5.")
        return 0
    if not is_vat(rate):
        wrong[name] = texts.gettext("A rate cannot be above 100 %%.")
    return rate
