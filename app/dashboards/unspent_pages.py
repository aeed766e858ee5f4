"""How much will stay unspent? For whoever answers for the money that was loaded."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.dashboards.asking import Typed, issued, reach
from app.dashboards.files import Form, file_of
from app.dashboards.sections import said
from app.dashboards.unspent_view import UnspentView
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.roles import Principal
from app.ledger.figures.dailies import loads
from app.ledger.figures.follow import catch_up
from app.ledger.service import ledger_of
from app.platform.clock import now_us
from app.platform.errors import NotFound
from app.rules.unspent import Load
from app.settlement.periods import STRETCHES_MAX
from app.web import dates, texts_of

router = APIRouter(include_in_schema=False)

ABOVE: Final = "/admin/circulation"
HERE: Final = f"{ABOVE}/unspent"
# Habits of longer ago say nothing of those of today.
HISTORY: Final = timedelta(days=800)


@router.get(HERE)
async def unspent_page(request: Request, caller: Caller, session: SignedIn, money: Typed = "") -> Response:
    shown = await _shown(request, caller, money)
    return render_admin(request, session, "dashboards/unspent.html", place=ABOVE, **shown)


@router.get(HERE + "/file/{section}.{ending}")
async def unspent_file(request: Request, caller: Caller, section: str, ending: Form, money: Typed = "") -> Response:
    view: UnspentView | None = (await _shown(request, caller, money))["view"]
    if view is None:
        raise NotFound("There is no such picture or table.")
    return file_of(view.sections(), section, ending, f"{view.currency.code}-unspent", texts_of(request))


async def _shown(request: Request, caller: Principal, money: str) -> dict[str, Any]:
    of, texts, ledger = await reach(request, caller, ""), texts_of(request), ledger_of(request)
    moneys = issued(of)
    chosen = next((it for it in moneys if it.code == money), next(iter(moneys), None))
    view, behind = None, False
    if chosen is not None:
        behind = not await catch_up(ledger.engine, stretches=STRETCHES_MAX)
        today = (
            max((it.day_of(now_us()) for it in of.seen.values()), default=None)
            or dates.local(now_us(), of.network.settings.zone).date()
        )
        found = [it for it in await loads(ledger.reader, today - HISTORY) if it.currency == chosen.code]
        # What is loaded online has no venue: by its clock the next day may have begun.
        view = UnspentView(chosen, [Load(max(0, (today - it.day).days), it.amount, it.left) for it in found], texts)
    return {
        "network_name": of.network.name,
        "here": HERE,
        "above": ABOVE,
        "issued": moneys,
        "currency": chosen,
        "query": urlencode({} if chosen is None else {"money": chosen.code}),
        "behind": behind,
        "view": view,
        "sections": [] if view is None else list(view.sections()),
        "said": lambda cell: said(cell, texts),
    }
