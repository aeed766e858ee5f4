"""The limits as a form: what is asked, how it is typed, and the settings that it means.

An input's name is the member of NetworkSettings that it sets; those of a currency are called like "RAF.C.per_sale".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

from app.currencies.service import Currency
from app.money import Unit, format_amount, parse_amount
from app.rules.offline import Assurance
from app.venues.rules import CARD_LIMITS, DEMAND_TEXTS, TERMINAL_LIMITS, NetworkSettings, problems
from app.web import N_, Texts

Input = Literal["duration", "percent", "number", "yes", "choice"]

LEVELS: Final[tuple[Assurance, ...]] = ("A", "B", "C")
# The three numbers that a card of a level has, as NetworkSettings keeps them.
PLACES: Final = ("per_sale", "per_card", "consecutive")
NUMBER_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Asked:
    """One input. `options`: value and message id of what can be chosen."""

    name: str
    label: str
    input: Input
    hint: str = ""
    options: tuple[tuple[str, str], ...] = ()


ALONE: Final = (
    Asked("snapshot_warn_s", N_("It warns once prices and balances are older than"), "duration"),
    Asked("snapshot_stop_s", N_("They are too old after"), "duration"),
    Asked(
        "snapshot_old",
        N_("With prices and balances that are too old"),
        "choice",
        options=(("stop", N_("it sells to no card")), ("lower", N_("it sells within lower limits"))),
    ),
    Asked("lowered_percent", N_("Lower limits are this part of the usual ones"), "percent"),
    Asked(
        "backed_weight_percent",
        N_("What a card is known to hold counts this much against its limit"),
        "percent",
        N_("It may have been spent at another terminal too"),
    ),
    Asked(
        "journal_rows",
        N_("It keeps at most so many rows that were not sent"),
        "number",
        N_("A sale is two rows. Beyond that it sells to no card until it has sent some."),
    ),
    Asked("offline_topups", N_("It tops up cards against cash"), "yes"),
    Asked("unknown_cards", N_("It sells to cards that it does not know, as to an empty card of level C"), "yes"),
)
REFUNDS: Final = (
    Asked(
        "refund_heard_s",
        N_("A terminal is away once it was silent for"),
        "duration",
        N_("No card is paid out while a terminal is away: it may have sold to it"),
    ),
    Asked("refund_wait_s", N_("Nobody waits any longer for a terminal that was silent for"), "duration"),
)
TILL: Final = (
    Asked("session_required", N_("Nothing is sold before the till is opened"), "yes"),
    Asked("blind_count", N_("The drawer is counted before the till tells what should be in it"), "yes"),
    Asked("pin_only", N_("A PIN alone is enough to sign in, without a staff card"), "yes"),
)
CARDS: Final = (
    Asked(
        "proven_cards",
        N_("Cards that pay"),
        "choice",
        N_("A venue may demand more, on its own page"),
        options=tuple(DEMAND_TEXTS.items()),
    ),
    Asked("page_by_tap", N_("Cards that prove themselves at phones show what is on them only after a tap"), "yes"),
    Asked("genuine_chips", N_("A card desk writes only on chips that their maker signed"), "yes"),
)
TOPICS: Final = (
    (N_("A terminal without network"), ALONE),
    (N_("Refunds"), REFUNDS),
    (N_("The till"), TILL),
    (N_("Cards"), CARDS),
)
_ASKED: Final = (*ALONE, *REFUNDS, *TILL, *CARDS)


def filled(settings: NetworkSettings, currencies: Mapping[str, Currency], language: str) -> dict[str, str]:
    """The settings as they would be typed; what is off is empty."""
    typed = {it.name: _typed(it, getattr(settings, it.name), language) for it in _ASKED}
    for code, it in currencies.items():
        for level, limits in settings.limits_of(code, it.unit).items():
            typed[f"{code}.{level}.per_sale"] = _amount(limits.per_sale, it.unit, language)
            typed[f"{code}.{level}.per_card"] = _amount(limits.per_card, it.unit, language)
            typed[f"{code}.{level}.consecutive"] = str(limits.consecutive)
        typed[f"{code}.terminal"] = _amount(settings.terminal_limit(code, it.unit), it.unit, language)
        expected = settings.on_cards.get(code)
        typed[f"{code}.on_cards"] = "" if expected is None else _amount(expected, it.unit, language)
    return typed


def understood(
    before: NetworkSettings, currencies: Mapping[str, Currency], typed: Mapping[str, str], texts: Texts
) -> tuple[NetworkSettings, dict[str, str]]:
    """(the settings, what is wrong by input). What could not be read stays as `before`."""
    wrong: dict[str, str] = {}
    values: dict[str, Any] = {}
    for it in _ASKED:
        try:
            values[it.name] = _meant(it, typed.get(it.name, "").strip())
        except ValueError:
            wrong[it.name] = _told(it, texts)
    cards, terminals, on_cards = dict(before.card_limits), dict(before.terminal_limits), dict(before.on_cards)
    for code, currency in currencies.items():
        found = dict(_numbers(code, currency, typed, texts, wrong))
        if wrong.keys() & found.keys():
            continue
        cards[code] = {
            level: (
                found[f"{code}.{level}.per_sale"],
                found[f"{code}.{level}.per_card"],
                found[f"{code}.{level}.consecutive"],
            )
            for level in LEVELS
        }
        terminals[code], on_cards[code] = found[f"{code}.terminal"], found[f"{code}.on_cards"]
        # What is as usual is not kept, so that an export does not tell it.
        if cards[code] == CARD_LIMITS[currency.unit]:
            del cards[code]
        if terminals[code] == TERMINAL_LIMITS[currency.unit]:
            del terminals[code]
        if not on_cards[code]:
            del on_cards[code]
    settings = replace(before, **values, card_limits=cards, terminal_limits=terminals, on_cards=on_cards)
    for name, text in problems(settings):
        wrong.setdefault(name, _sentence(texts.gettext(text)))
    return settings, wrong


def changed(was: NetworkSettings, now: NetworkSettings) -> dict[str, tuple[Any, Any]]:
    """(before, after) of every member that differs."""
    before, after = asdict(was), asdict(now)
    return {name: (before[name], after[name]) for name in before if before[name] != after[name]}


def _numbers(
    code: str, it: Currency, typed: Mapping[str, str], texts: Texts, wrong: dict[str, str]
) -> Iterator[tuple[str, int]]:
    """Every number of one currency by input; 0 and a word in `wrong` for what cannot be read."""
    for name in (*(f"{level}.{place}" for level in LEVELS for place in PLACES), "terminal", "on_cards"):
        text = typed.get(f"{code}.{name}", "").strip()
        try:
            if name == "on_cards" and not text:
                yield f"{code}.{name}", 0
            elif name.endswith("consecutive"):
                yield f"{code}.{name}", _whole(text)
            else:
                yield f"{code}.{name}", parse_amount(text, it.unit)
        except ValueError:
            wrong[f"{code}.{name}"] = (
                texts.gettext("Write a whole number.") if name.endswith("consecutive") else _amount_told(it.unit, texts)
            )
            yield f"{code}.{name}", 0


def _amount(minor: int, unit: Unit, language: str) -> str:
    text = format_amount(minor, unit, "", language).strip()
    # English groups thousands with commas, which are read as decimal ones.
    return text.replace(",", "") if language == "en" else text


def _typed(it: Asked, value: Any, language: str) -> str:
    match it.input:
        case "duration":
            return f"{value} s" if value % 60 else _amount(value // 60, Unit.MINUTE, language)
        case "yes":
            return "yes" if value else ""
        case _:
            return str(value)


def _meant(it: Asked, text: str) -> Any:
    """Raises ValueError (AmountNotUnderstood is one) where it cannot be read."""
    match it.input:
        case "duration":
            seconds = re.fullmatch(r"([0-9]{1,6})\s*s", text)
            return int(seconds[1]) if seconds else parse_amount(text, Unit.MINUTE) * 60
        case "percent":
            return _whole(text.rstrip("%").rstrip())
        case "number":
            return max(1, _whole(text))
        case "yes":
            return bool(text)
        case "choice":
            if text not in dict(it.options):
                raise ValueError(text)
            return text


def _whole(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,7}", text) or int(text) > NUMBER_MAX:
        raise ValueError(text)
    return int(text)


def _told(it: Asked, texts: Texts) -> str:
    if it.input == "duration":
        return texts.gettext("Write a time such as 12 h, 2 h 30 or 45 min.")
    if it.input == "choice":
        return texts.gettext("Choose one.")
    return texts.gettext("Write a whole number.")


def _amount_told(unit: Unit, texts: Texts) -> str:
    return {
        Unit.CENT: texts.gettext("Write an amount such as 12.50."),
        Unit.MINUTE: texts.gettext("Write a time such as 3 h, 2 h 30 or 45 min."),
        Unit.POINT: texts.gettext("Write a whole number of points."),
    }[unit]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
