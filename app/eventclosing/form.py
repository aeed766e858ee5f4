"""The cut-off and the days of refunds as they are typed, and what is meant."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime

from app.eventclosing.rules import Closing, Window
from app.eventdesk.dates import instant, local
from app.web import Texts


def filled(it: Closing, zone: str) -> dict[str, str]:
    cut_off = "" if it.cut_off_us is None else local(it.cut_off_us, zone).strftime("%Y-%m-%dT%H:%M")
    opens, closes = ("", "") if it.refund is None else (str(it.refund.opens), str(it.refund.closes))
    return {"cut_off": cut_off, "refund_opens": opens, "refund_closes": closes}


def understood(typed: Mapping[str, str], zone: str, texts: Texts) -> tuple[Closing, dict[str, str]]:
    """(the closing, what is wrong by input)."""
    wrong: dict[str, str] = {}
    cut_off = None
    if typed.get("cut_off", "").strip():
        with suppress(ValueError):
            cut_off = datetime.fromisoformat(typed["cut_off"].strip())
        if cut_off is None or cut_off.tzinfo is not None or not 2000 <= cut_off.year < 2100:
            wrong["cut_off"], cut_off = texts.gettext("Write a day and a time."), None
    days = {name: _day(typed.get(name, "")) for name in ("refund_opens", "refund_closes")}
    for name, day in days.items():
        if day is None and (typed.get(name, "").strip() or any(days.values())):
            wrong[name] = texts.gettext("Write the first and the last day, or neither.")
    opens, closes = days["refund_opens"], days["refund_closes"]
    if opens is not None and closes is not None and closes < opens:
        wrong["refund_closes"] = texts.gettext("The last day is not before the first.")
    window = None if wrong or opens is None or closes is None else Window(opens, closes)
    return Closing(None if cut_off is None else instant(cut_off, zone), window), wrong


def _day(text: str) -> date | None:
    with suppress(ValueError):
        return date.fromisoformat(text.strip())
    return None
