"""Where a venue is and when it is open, as a form: how it is typed, and what it means. Hours of a weekday are called
like "day.4"; days of their own are lines of "days"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.rules.goods import is_line
from app.venues.hours_form import DAYS
from app.venues.opening import DAYS_MAX, Opening, read, read_day, written
from app.venues.places import TOP_UPS, Place
from app.venues.point import point
from app.web import Texts

ADDRESS_MAX: Final = 200
TOWN_MAX: Final = 80


def filled(it: Place, texts: Texts) -> dict[str, str]:
    closed = texts.gettext("shut")
    typed = {"address": it.address, "town": it.town, "point": str(it.point or "")}
    typed |= {f"tops_up.{one}": "yes" for one in it.tops_up}
    typed |= {f"day.{day}": written(spans) for day, spans in it.opening.weekly.items() if spans}
    lines = [f"{day} {written(spans) if spans else closed}" for day, spans in sorted(it.opening.days.items())]
    return typed | {"days": "\n".join(lines)}


def understood(typed: Mapping[str, str], texts: Texts) -> tuple[Place, dict[str, str]]:
    """(the place, what is wrong by input)."""
    wrong: dict[str, str] = {}
    lines = {name: " ".join(typed.get(name, "").split()) for name in ("address", "town", "point")}
    for name, most in (("address", ADDRESS_MAX), ("town", TOWN_MAX)):
        if lines[name] and not is_line(lines[name]):
            wrong[name] = texts.gettext("Write it on one line.")
        elif len(lines[name]) > most:
            wrong[name] = texts.gettext("This is too long: %(num)s characters at most.", num=most)
    at = point(lines["point"])
    if lines["point"] and at is None:
        wrong["point"] = texts.gettext("Write it like 48.1173, -1.6778, or paste the address of a map.")
    weekly, days = {}, {}
    for day in range(len(DAYS)):
        spans = read(typed.get(f"day.{day}", ""))
        if spans is None:
            wrong[f"day.{day}"] = texts.gettext("Write hours like 10:00-14:00, 18:00-02:00.")
        elif spans:
            weekly[day] = spans
    for line in typed.get("days", "").splitlines():
        if not line.strip():
            continue
        said, _, hours = line.strip().partition(" ")
        on, spans = read_day(said), read(hours) if hours.strip() else None
        if on is None or spans is None:
            wrong["days"] = texts.gettext("This line is not understood: %(line)s", line=line.strip()[:80])
            break
        days[on] = spans
    if len(days) > DAYS_MAX:
        wrong["days"] = texts.gettext("So many days of their own are not kept: leave out those that are past.")
    tops_up = tuple(it for it in TOP_UPS if typed.get(f"tops_up.{it}") == "yes")
    return Place(lines["address"], tops_up, Opening(weekly, days), lines["town"], at), wrong
