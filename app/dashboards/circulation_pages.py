"""How much is in circulation, and is more loaded than spent? From the figures beside the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.currencies.service import Currency
from app.dashboards.asking import Reach, Typed, issued, reach
from app.dashboards.files import Form, file_of
from app.dashboards.flow_view import FlowView
from app.dashboards.rules.flows import Step, by_stretch, first_moved, stretches
from app.dashboards.sections import said
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.roles import Principal
from app.ledger.figures.dailies import dailies, stocks
from app.ledger.figures.follow import catch_up
from app.ledger.service import ledger_of
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import NotFound
from app.settlement.periods import STRETCHES_MAX
from app.venues.service import venues
from app.web import N_, dates, texts_of

router = APIRouter(include_in_schema=False)

HERE: Final = "/admin/circulation"
# Days shown, what they are called, and how many of them are shown as one.
SPANS: Final[tuple[tuple[int, str, Step], ...]] = (
    (30, N_("30 days"), "day"),
    (91, N_("3 months"), "week"),
    (365, N_("One year"), "month"),
)

Days = Annotated[int, Query(ge=1, le=365)]


@dataclass(frozen=True, slots=True)
class Asked:
    """One money of those that are issued: what members owe each other is in no circulation."""

    of: Reach
    currency: Currency | None
    days: int
    step: Step
    today: date

    @property
    def first(self) -> date:
        return self.today - timedelta(days=self.days - 1)

    def query(self, **other: object) -> str:
        asked: dict[str, object] = {
            "money": "" if self.currency is None else self.currency.code,
            "days": self.days,
            "venue": "" if self.of.chosen is None else str(self.of.chosen.id),
        }
        return urlencode({name: it for name, it in {**asked, **other}.items() if it})


@router.get(HERE)
async def circulation_page(
    request: Request, caller: Caller, session: SignedIn, money: Typed = "", days: Days = 30, venue: Typed = ""
) -> Response:
    asked = await _asked(request, caller, money, days, venue)
    view, behind = await _view(request, caller, asked)
    texts = texts_of(request)
    return render_admin(
        request,
        session,
        "dashboards/circulation.html",
        place=HERE,
        network_name=asked.of.network.name,
        here=HERE,
        asked=asked,
        issued=issued(asked.of),
        spans=[(number, texts.gettext(name)) for number, name, _ in SPANS],
        behind=behind,
        view=view,
        sections=[] if view is None else list(view.sections()),
        said=lambda cell: said(cell, texts),
    )


@router.get(HERE + "/file/{section}.{ending}")
async def circulation_file(
    request: Request,
    caller: Caller,
    section: str,
    ending: Form,
    money: Typed = "",
    days: Days = 30,
    venue: Typed = "",
) -> Response:
    asked = await _asked(request, caller, money, days, venue)
    view, _ = await _view(request, caller, asked)
    if view is None or asked.currency is None:
        raise NotFound("There is no such picture or table.")
    stem = f"{asked.currency.code}-{asked.first}-{asked.today}"
    return file_of(view.sections(), section, ending, stem, texts_of(request))


async def _asked(request: Request, caller: Principal, money: str, days: int, venue: str) -> Asked:
    of = await reach(request, caller, venue)
    moneys = issued(of)
    number, step = next(((number, step) for number, _, step in SPANS if number == days), (SPANS[0][0], SPANS[0][2]))
    # What is in circulation is the whole network's: it is today as soon as it is so at any venue, seen or not.
    async with context_of(request).reader.connect() as connection:
        everywhere = await venues(connection)
    today = max((it.day_of(now_us()) for it in everywhere.values()), default=None)
    return Asked(
        of,
        next((it for it in moneys if it.code == money), next(iter(moneys), None)),
        number,
        step,
        today or dates.local(now_us(), of.network.settings.zone).date(),
    )


async def _view(request: Request, caller: Principal, asked: Asked) -> tuple[FlowView | None, bool]:
    """With whether more was booked than is in the figures."""
    currency, ledger, texts = asked.currency, ledger_of(request), texts_of(request)
    if currency is None:
        return None, False
    all_in = await catch_up(ledger.engine, stretches=STRETCHES_MAX)
    whole = caller.sees_network and asked.of.chosen is None
    moved = await dailies(ledger.reader, asked.first, asked.today, None if whole else list(asked.of.venues))
    shown = stretches(asked.first, asked.today, asked.step)
    held = (await stocks(ledger.reader, asked.first)).at_end_of(currency.code, [it.last for it in shown])
    title = texts.gettext(
        "%(first)s to %(last)s",
        first=dates.day_in_words(asked.first, asked.today, texts),
        last=dates.day_in_words(asked.today, asked.today, texts),
    )
    flows = by_stretch((it for it in moved if it.currency == currency.code), shown)
    begins = first_moved(list(flows.values()), held)
    flows = {it: flows[it] for it in shown[begins:]}
    return FlowView(currency, asked.step, flows, held[begins:], title, texts), not all_in
