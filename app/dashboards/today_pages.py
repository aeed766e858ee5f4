"""What was sold today? By hour, venue and product, while it happens; and on any day before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.dashboards.asking import Reach, Typed, day_typed, reach
from app.dashboards.day_reading import days_of, last_time, sold_on, up_to_this_time
from app.dashboards.day_view import DayView, Then
from app.dashboards.files import Form, file_of
from app.dashboards.rules.sold import Sold, hour_of
from app.dashboards.sections import said
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.roles import Principal
from app.ledger.service import ledger_of
from app.platform.clock import now_us
from app.platform.errors import NotFound
from app.web import Texts, dates, render, texts_of

router = APIRouter(include_in_schema=False)

HERE = "/admin/today"
# The last day on which something was sold, the same weekday before, or nothing; the first unless another is asked for.
COMPARED: Final = ("last", "week", "none")
WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Asked:
    """`day`: None for today. `than`: what it is compared with, one of COMPARED or a day."""

    of: Reach
    day: date | None
    money: str
    than: str | date

    def query(self, **other: str) -> str:
        asked = {
            "day": "" if self.day is None else str(self.day),
            "venue": "" if self.of.chosen is None else str(self.of.chosen.id),
            "money": self.money,
            "than": "" if self.than == COMPARED[0] else str(self.than),
        }
        return urlencode({name: it for name, it in {**asked, **other}.items() if it})


@router.get(HERE)
async def today_page(
    request: Request,
    caller: Caller,
    session: SignedIn,
    day: Typed = "",
    venue: Typed = "",
    money: Typed = "",
    than: Typed = "",
) -> Response:
    shown = await _shown(request, await _asked(request, caller, day, venue, money, than))
    return render_admin(request, session, "dashboards/today.html", place=HERE, **shown)


@router.get(HERE + "/now")
async def today_now(
    request: Request, caller: Caller, day: Typed = "", venue: Typed = "", money: Typed = "", than: Typed = ""
) -> Response:
    """The part of the page that changes by itself."""
    return render(
        request,
        "dashboards/today_now.html",
        **await _shown(request, await _asked(request, caller, day, venue, money, than)),
    )


@router.get(HERE + "/file/{section}.{ending}")
async def today_file(
    request: Request,
    caller: Caller,
    section: str,
    ending: Form,
    day: Typed = "",
    venue: Typed = "",
    money: Typed = "",
    than: Typed = "",
) -> Response:
    """A picture or a table of the page, to take away."""
    asked = await _asked(request, caller, day, venue, money, than)
    view = (await _shown(request, asked))["view"]
    if view is None:
        raise NotFound("There is no such picture or table.")
    day_said = asked.day or dates.local(now_us(), asked.of.network.settings.zone).date()
    return file_of(view.sections(), section, ending, f"today-{day_said}", texts_of(request))


async def _asked(request: Request, caller: Principal, day: str, venue: str, money: str, than: str) -> Asked:
    of = await reach(request, caller, venue)
    compared = than if than in COMPARED else day_typed(than) or COMPARED[0]
    return Asked(of, day_typed(day), money if money in of.known else "", compared)


async def _shown(request: Request, asked: Asked) -> dict[str, Any]:
    texts, now = texts_of(request), now_us()
    today = days_of(asked.of.venues.values(), now, None)
    days = days_of(asked.of.venues.values(), now, asked.day)
    live = days == today
    found = await sold_on(ledger_of(request), asked.of.venues, days)
    moneys = _moneys(found.sold, asked)
    code = asked.money or next(iter(moneys or asked.of.known), "")
    hours = [
        hour
        for id_, it in asked.of.venues.items()
        if (hour := hour_of(now, today[id_], it.zone, it.cut_off)) is not None
    ]
    title = _title(days, today, texts)
    view = None
    if code:
        view = DayView(
            found.sold,
            list(asked.of.venues.values()),
            asked.of.known[code],
            asked.of.known,
            title,
            max(hours, default=None) if live else None,
            texts,
            await _then(request, asked, days, now if live else None, texts),
        )
    return {
        "network_name": asked.of.network.name,
        "here": HERE,
        "asked": asked,
        "live": live,
        "title": title,
        "day_shown": max(days.values(), default=None),
        "newest": max(today.values(), default=None),
        "moneys": [asked.of.known[it] for it in moneys],
        "currency": asked.of.known.get(code),
        "view": view,
        "compared": _compared(texts),
        "sections": [] if view is None else list(view.sections()),
        "said": lambda cell: said(cell, texts),
    }


async def _then(
    request: Request, asked: Asked, days: Mapping[UUID, date], now: int | None, texts: Texts
) -> Then | None:
    """The day to compare with; `now`: None for a day that is over. None: there is no such day."""
    ledger, at, newest = ledger_of(request), asked.of.venues, max(days.values(), default=None)
    if newest is None or asked.than == "none":
        return None
    if asked.than == "week":
        then = {id_: day - WEEK for id_, day in days.items()}
    else:
        first = min(days.values())
        chosen = asked.than if isinstance(asked.than, date) else await last_time(ledger, at, first)
        if chosen is None or chosen >= first:
            return None
        then = dict.fromkeys(days, chosen)
    found = await sold_on(ledger, at, then)
    so_far = found.sold if now is None else up_to_this_time(found, at, days, now)
    return Then(found.sold, so_far, dates.day_in_words(max(then.values()), newest, texts))


def _compared(texts: Texts) -> list[tuple[str, str]]:
    _ = texts.gettext
    return list(zip(COMPARED, (_("The last time"), _("The week before"), _("Nothing")), strict=True))


def _moneys(found: Sold, asked: Asked) -> list[str]:
    """The moneys of which something was sold."""
    return [code for code in asked.of.known if any(code == of for _, of in found.totals) or code == asked.money]


def _title(days: Mapping[UUID, date], today: Mapping[UUID, date], texts: Texts) -> str:
    """The day in words; venues whose clocks are on two days are not on one."""
    if not days:
        return texts.gettext("today")
    if days == today and len(set(days.values())) > 1:
        return texts.gettext("today, each venue by its own clock")
    day = max(days.values())
    newest = max(today.values())
    words = dates.day_in_words(day, newest, texts)
    if abs((newest - day).days) > 1:
        return words
    return f"{words}, {dates.day_in_words(day, day + timedelta(days=2), texts)}"
