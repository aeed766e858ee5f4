"""The network's settings as the file writes them; those left out have their defaults."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar

from app.cli.apply.forms import NetworkForm, OfflineForm
from app.cli.apply.text import Path
from app.cli.apply.words import (
    NotUnderstood,
    read_amount,
    read_rate,
    read_seconds,
    write_amount,
    write_rate,
    write_seconds,
)
from app.money import Unit
from app.rules.offline import Assurance
from app.venues.rules import NetworkSettings, problems

T = TypeVar("T")

LEVELS: tuple[Assurance, ...] = ("A", "B", "C")
_PERCENT = 100


class Tried(Protocol):
    """Reads a value; what is wrong is kept with its path, and the last argument taken instead."""

    def __call__(self, path: Path, read: Callable[[], T], otherwise: T, /) -> T: ...


def _whole_percent(text: str) -> int:
    percent, rest = divmod(read_rate(text), _PERCENT)
    if rest:
        raise NotUnderstood(f"{text!r} is not a whole number of percent")
    return percent


# By the setting's name in the file: the member of NetworkSettings, how it is read, how it is written.
_SIMPLE: Mapping[str, tuple[str, Callable[[str], int], Callable[[int], str]]] = {
    "topup_min": (
        "topup_min_cents",
        lambda text: read_amount(text, Unit.CENT),
        lambda minor: write_amount(minor, Unit.CENT),
    ),
    "topup_max": (
        "topup_max_cents",
        lambda text: read_amount(text, Unit.CENT),
        lambda minor: write_amount(minor, Unit.CENT),
    ),
    "shift_max_per_day": (
        "shift_max_minutes_per_day",
        lambda text: read_amount(text, Unit.MINUTE),
        lambda minor: write_amount(minor, Unit.MINUTE),
    ),
    "backed_weight": (
        "backed_weight_percent",
        _whole_percent,
        lambda percent: write_rate(percent * _PERCENT),
    ),
    "snapshot_warn": ("snapshot_warn_s", read_seconds, write_seconds),
    "snapshot_stop": ("snapshot_stop_s", read_seconds, write_seconds),
    "lowered_limits": ("lowered_percent", _whole_percent, lambda percent: write_rate(percent * _PERCENT)),
    "refund_heard": ("refund_heard_s", read_seconds, write_seconds),
    "refund_wait": ("refund_wait_s", read_seconds, write_seconds),
    "fee_vat": ("fee_vat_basis_points", read_rate, write_rate),
}
# Settings that the file and NetworkSettings call and write alike.
_SAME = (
    "contact",
    "snapshot_old",
    "offline_topups",
    "unknown_cards",
    "session_required",
    "blind_count",
    "pin_only",
    "proven_cards",
    "page_by_tap",
    "genuine_chips",
    "journal_rows",
)


def read_settings(
    form: NetworkForm, units: Mapping[str, Unit], tried: Tried, wrong: Callable[[Path, str], None]
) -> NetworkSettings:
    usual, said = NetworkSettings(), form.settings
    values: dict[str, Any] = {"zone": form.zone}
    for name, (member, read, _) in _SIMPLE.items():
        text = getattr(said, name)
        if text is not None:
            values[member] = tried(("settings", name), partial(read, text), getattr(usual, member))
    values |= {name: value for name in _SAME if (value := getattr(said, name)) is not None}
    cards = {}
    amounts: dict[str, dict[str, int]] = {"terminal": {}, "on_cards": {}}
    for code, it in said.offline.items():
        at = ("settings", "offline", code)
        if code not in units:
            wrong(at, f"there is no currency {code}")
            continue
        unit = units[code]
        if any(getattr(it, level) for level in LEVELS):
            cards[code] = _levels(it, at, unit, tried, wrong)
        for name, found in amounts.items():
            if (text := getattr(it, name)) is not None:
                found[code] = tried((*at, name), partial(read_amount, text, unit), 0)
    settings = NetworkSettings(
        **values, card_limits=cards, terminal_limits=amounts["terminal"], on_cards=amounts["on_cards"]
    )
    names = {member: name for name, (member, _, _) in _SIMPLE.items()}
    for member, text in problems(settings):
        wrong(("settings", names[member]), text)
    return settings


def _levels(
    it: OfflineForm, at: Path, unit: Unit, tried: Tried, wrong: Callable[[Path, str], None]
) -> dict[Assurance, tuple[int, int, int]]:
    found: dict[Assurance, tuple[int, int, int]] = {}
    for level in LEVELS:
        given = getattr(it, level)
        if given is None:
            wrong((*at, level), "is missing: the limits of a currency are given for A, B and C")
            continue
        amounts = [tried((*at, level, place), partial(read_amount, given[place], unit), 0) for place in (0, 1)]
        found[level] = (amounts[0], amounts[1], given[2])
    return found


def write_settings(settings: NetworkSettings, units: Mapping[str, Unit]) -> dict[str, Any]:
    """What is not as usual."""
    usual = NetworkSettings()
    words: dict[str, Any] = {
        name: write(getattr(settings, member))
        for name, (member, _, write) in _SIMPLE.items()
        if getattr(settings, member) != getattr(usual, member)
    }
    words |= {name: getattr(settings, name) for name in _SAME if getattr(settings, name) != getattr(usual, name)}
    offline: dict[str, dict[str, Any]] = {}
    for code, unit in units.items():
        limits: dict[str, Any] = {
            level: [write_amount(numbers[0], unit), write_amount(numbers[1], unit), numbers[2]]
            for level, numbers in sorted(settings.card_limits.get(code, {}).items())
        }
        for name, found in (("terminal", settings.terminal_limits), ("on_cards", settings.on_cards)):
            if code in found:
                limits[name] = write_amount(found[code], unit)
        if limits:
            offline[code] = limits
    return words | ({"offline": offline} if offline else {})
