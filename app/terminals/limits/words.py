"""The limits, their changes and what is accepted, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from app.currencies.service import Currency
from app.money.text import SPACE
from app.rules.exposure import Exposure
from app.terminals.limits.acceptance import Raised
from app.terminals.limits.form import LEVELS, TOPICS, Asked
from app.terminals.words import duration
from app.venues.rules import CARD_LIMITS, TERMINAL_LIMITS, NetworkSettings
from app.web import Texts


def sentence(network: str, figures: Mapping[str, Exposure], known: Mapping[str, Currency], texts: Texts) -> str:
    """What the organiser accepts, whole: it is kept as it was read."""
    each = "; ".join(_accepted(known[code], it, texts) for code, it in figures.items())
    return texts.gettext(
        "In the name of %(network)s I accept that terminals without network may cost it at most: %(each)s.",
        network=network,
        each=each,
    )


def _accepted(currency: Currency, it: Exposure, texts: Texts) -> str:
    return texts.ngettext(
        "%(most)s in %(name)s, with %(num)s terminal, %(limit)s beyond balances, and %(held)s on cards",
        "%(most)s in %(name)s, with %(num)s terminals, %(limit)s at each beyond balances, and %(held)s on cards",
        it.terminals,
        most=currency.text(it.most, texts.language),
        name=currency.names[texts.language],
        limit=currency.text(it.per_terminal, texts.language),
        held=currency.text(it.on_cards, texts.language),
    )


def reasons(it: Raised, known: Mapping[str, Currency], texts: Texts) -> Iterator[str]:
    """What has grown since something else was accepted."""
    currency, was = known[it.code], it.was
    name = currency.names[texts.language]

    def text(minor: int) -> str:
        return currency.text(minor, texts.language)

    if was is None:
        yield texts.gettext("%(name)s: nothing was accepted for it yet.", name=name)
        return
    yield texts.gettext(
        "%(name)s: at most %(now)s can be lost; %(was)s was accepted.",
        name=name,
        now=text(it.now.most),
        was=text(was.most),
    )
    if it.now.terminals > was.terminals:
        yield texts.gettext(
            "%(name)s: there are %(now)s terminals; there were %(was)s.",
            name=name,
            now=it.now.terminals,
            was=was.terminals,
        )
    if it.now.per_terminal > was.per_terminal:
        yield texts.gettext(
            "%(name)s: a terminal’s limit is %(now)s; it was %(was)s.",
            name=name,
            now=text(it.now.per_terminal),
            was=text(was.per_terminal),
        )
    if it.now.on_cards > was.on_cards:
        yield texts.gettext(
            "%(name)s: %(now)s counts as on cards; it was %(was)s.",
            name=name,
            now=text(it.now.on_cards),
            was=text(was.on_cards),
        )


def in_force(settings: NetworkSettings, texts: Texts) -> list[tuple[str, list[tuple[str, str]]]]:
    """The settings under their topics, as (what it is, how it is)."""
    return [
        (
            texts.gettext(title),
            [(texts.gettext(it.label), _value(it, getattr(settings, it.name), texts)) for it in asked],
        )
        for title, asked in TOPICS
    ]


def differences(details: Mapping[str, Any], known: Mapping[str, Currency], texts: Texts) -> list[str]:
    """What a change of settings did, a line for each thing. `details`: {"was", "now"} by member."""
    lines = []
    for _, asked in TOPICS:
        for it in asked:
            if it.name in details:
                was, now = (_value(it, details[it.name][when], texts) for when in ("was", "now"))
                lines.append(_line(texts.gettext(it.label), was, now, texts))
    for code, currency in known.items():
        lines += _of_currency(details, code, currency, texts)
    return lines


def _of_currency(details: Mapping[str, Any], code: str, currency: Currency, texts: Texts) -> Iterator[str]:
    name = currency.names[texts.language]
    cards: Any = [_kept(details, "card_limits", when, code) or CARD_LIMITS[currency.unit] for when in ("was", "now")]
    for level in LEVELS:
        was, now = (_card(list(it[level]), currency, texts) for it in cards)
        if was != now:
            yield _line(texts.gettext("%(name)s, cards of level %(level)s", name=name, level=level), was, now, texts)
    for member, label, usual in (
        ("terminal_limits", texts.gettext("%(name)s, limit of a terminal", name=name), TERMINAL_LIMITS[currency.unit]),
        ("on_cards", texts.gettext("%(name)s, expected on cards", name=name), 0),
    ):
        amounts = [_kept(details, member, when, code) for when in ("was", "now")]
        was, now = (currency.text(usual if it is None else it, texts.language) for it in amounts)
        if was != now:
            yield _line(label, was, now, texts)


def _kept(details: Mapping[str, Any], member: str, when: str, code: str) -> Any:
    return details.get(member, {}).get(when, {}).get(code)


def _card(numbers: list[int], currency: Currency, texts: Texts) -> str:
    return texts.gettext(
        "%(sale)s a sale, %(card)s a card, %(count)s in a row",
        sale=currency.text(numbers[0], texts.language),
        card=currency.text(numbers[1], texts.language),
        count=numbers[2],
    )


def _line(label: str, was: str, now: str, texts: Texts) -> str:
    return texts.gettext("%(label)s: %(now)s instead of %(was)s", label=label, now=now, was=was)


def _value(it: Asked, value: Any, texts: Texts) -> str:
    match it.input:
        case "duration":
            return duration(value, texts).replace(" ", SPACE)
        case "percent":
            return f"{value}{SPACE}%"
        case "yes":
            return texts.gettext("Yes") if value else texts.gettext("No")
        case "choice":
            return texts.gettext(dict(it.options)[value])
        case _:
            return str(value)
