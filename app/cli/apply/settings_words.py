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
from app.venues.rules import NetworkSettings

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
}


def read_settings(
    form: NetworkForm, units: Mapping[str, Unit], tried: Tried, wrong: Callable[[Path, str], None]
) -> NetworkSettings:
    usual, said = NetworkSettings(), form.settings
    values: dict[str, Any] = {"zone": form.zone}
    for name, (member, read, _) in _SIMPLE.items():
        text = getattr(said, name)
        if text is not None:
            values[member] = tried(("settings", name), partial(read, text), getattr(usual, member))
    if said.journal_rows is not None:
        values["journal_rows"] = said.journal_rows
    cards, terminals = {}, {}
    for code, it in said.offline.items():
        at = ("settings", "offline", code)
        if code not in units:
            wrong(at, f"there is no currency {code}")
            continue
        unit = units[code]
        if any(getattr(it, level) for level in LEVELS):
            cards[code] = _levels(it, at, unit, tried, wrong)
        if it.terminal is not None:
            text = it.terminal
            terminals[code] = tried((*at, "terminal"), partial(read_amount, text, unit), 0)
    settings = NetworkSettings(**values, card_limits=cards, terminal_limits=terminals)
    if settings.topup_min_cents > settings.topup_max_cents:
        wrong(("settings", "topup_min"), "the smallest top-up is larger than the largest")
    if settings.snapshot_warn_s > settings.snapshot_stop_s:
        wrong(("settings", "snapshot_warn"), "a terminal stops before it warns")
    if settings.backed_weight_percent > _PERCENT:
        wrong(("settings", "backed_weight"), "no weight is above 100 %")
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
    if settings.journal_rows != usual.journal_rows:
        words["journal_rows"] = settings.journal_rows
    offline: dict[str, dict[str, Any]] = {}
    for code, unit in units.items():
        limits: dict[str, Any] = {
            level: [write_amount(numbers[0], unit), write_amount(numbers[1], unit), numbers[2]]
            for level, numbers in sorted(settings.card_limits.get(code, {}).items())
        }
        if code in settings.terminal_limits:
            limits["terminal"] = write_amount(settings.terminal_limits[code], unit)
        if limits:
            offline[code] = limits
    return words | ({"offline": offline} if offline else {})
