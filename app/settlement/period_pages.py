"""Positions over a period: what each venue took, what it was made of, and where the money had been loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.currencies.service import Currency, currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.roles import Principal
from app.ledger.service import ledger_of
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import NotFound
from app.settlement import ageing, drilling
from app.settlement.flow_picture import flow_picture
from app.settlement.periods import ASIDE, CLAIM, DUE, Name, Taken, VenuePeriod, all_due, all_taken, periods
from app.settlement.periods_csv import periods_csv
from app.venues.service import Network, Venue, the_network, venue_named, venues
from app.web import N_, Texts, dates, texts_of

router = APIRouter(include_in_schema=False)

HERE = "/admin/positions"

FLOWS: Mapping[Name, str] = {
    "sold": N_("Sold"),
    "taken_back": N_("Taken back"),
    "settled": N_("Settled"),
    "other": N_("Other"),
    "loaded": N_("Loaded onto cards"),
    "refunded": N_("Refunded from cards"),
    "deposits": N_("Deposits kept"),
    "cash": N_("Cash taken"),
    "handed_in": N_("Handed in"),
}

Day = Annotated[date | None, Query()]


@dataclass(frozen=True, slots=True)
class Span:
    """A period to choose: its name and its days."""

    name: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page of this room is about."""

    network: Network
    known: Mapping[str, Currency]
    seen: Mapping[UUID, Venue]
    today: date
    first: date
    last: date

    @property
    def query(self) -> str:
        return f"first={self.first}&last={self.last}"


@router.get(HERE)
async def periods_page(
    request: Request,
    caller: Caller,
    session: SignedIn,
    first: Day = None,
    last: Day = None,
    money: Annotated[str | None, Query(max_length=12)] = None,
) -> Response:
    """All venues that the reader may see, in one money, and what they owe in cash."""
    texts, asked = texts_of(request), await asked_of(request, caller, first, last)
    found = await periods(ledger_of(request), asked.seen.values(), asked.known, asked.first, asked.last)
    moved = [code for code in asked.known if any(it.taken[code].moved for it in found.venues)]
    chosen = money if money in asked.known else next(iter(moved or asked.known), None)
    currency = asked.known[chosen] if chosen is not None else None
    matrix = found.matrices.get(chosen) if chosen is not None else None
    # What is nobody's venue is the network's.
    elsewhere = found.elsewhere if caller.sees_network else {}
    ages = await ageing.unspent(ledger_of(request), asked.today) if caller.sees_network else {}
    rests = await ageing.dormant(ledger_of(request), asked.today) if caller.sees_network else {}
    return render_admin(
        request,
        session,
        "settlement/periods.html",
        place="/admin",
        here=HERE,
        network_name=asked.network.name,
        zone=asked.network.settings.zone,
        asked=asked,
        spans=_spans(asked.today, texts),
        found=found,
        currency=currency,
        currencies=[asked.known[code] for code in moved],
        **_columns("claim", _used(CLAIM, found.venues, chosen), texts),
        **_columns("aside", ASIDE, texts),
        **_columns("due", DUE, texts),
        matrix_heads=[] if matrix is None else [(asked.seen[it].name, "num") for it in matrix.venues],
        matrix=matrix,
        picture=None if matrix is None else flow_picture(matrix.origins, matrix.venues, matrix.amounts),
        names={it.id: it.name for it in asked.seen.values()},
        ages=ages.get(chosen or "", ()),
        rests=rests.get(chosen or "", ()),
        age_names=ageing.names(texts),
        elsewhere=elsewhere.get(chosen or ""),
        total=None
        if chosen is None
        else all_taken([*(it.taken[chosen] for it in found.venues), *_of(elsewhere, chosen)]),
        total_due=all_due(it.due for it in found.venues),
    )


@router.get(HERE + "/period.csv")
async def periods_table(request: Request, caller: Caller, first: Day = None, last: Day = None) -> Response:
    """Every figure of the period in one row each, in the reader's language."""
    asked, texts = await asked_of(request, caller, first, last), texts_of(request)
    found = await periods(ledger_of(request), asked.seen.values(), asked.known, asked.first, asked.last)
    flows = {it: texts.gettext(name) for it, name in FLOWS.items()}
    text = periods_csv(found.venues, found.elsewhere if caller.sees_network else {}, asked.known, flows, texts)
    name = f"positions-{asked.first}-{asked.last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(text.encode("utf-8-sig"), media_type="text/csv", headers=headers)


@router.get(HERE + "/{venue}")
async def period_days_page(
    request: Request,
    caller: Caller,
    session: SignedIn,
    venue: UUID,
    first: Day = None,
    last: Day = None,
    money: Annotated[str, Query(max_length=12)] = "",
) -> Response:
    """One venue, one money, day by day: each leads to what happened that day."""
    caller.require_venue(venue)
    texts, asked = texts_of(request), await asked_of(request, caller, first, last)
    async with context_of(request).reader.connect() as connection:
        at = await venue_named(connection, venue)
    if money not in asked.known:
        raise NotFound
    currency = asked.known[money]
    days = await drilling.by_day(ledger_of(request), at, currency, asked.first, asked.last)
    shown = [it for it in (*CLAIM, *ASIDE) if any(day.flows[it].transfers for day in days)]
    columns = _columns("days_shown", shown, texts)
    return render_admin(
        request,
        session,
        "settlement/period_days.html",
        place="/admin",
        here=HERE,
        network_name=asked.network.name,
        asked=asked,
        venue=at,
        currency=currency,
        days=days,
        day_heads=[(texts.gettext("Day"), ""), *columns["days_shown_heads"]],
        **columns,
    )


async def asked_of(request: Request, caller: Principal, first: date | None, last: date | None) -> Asked:
    """The period as asked for, or the month so far; two days the wrong way round are the same period."""
    async with context_of(request).reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
        seen = {it.id: it for it in (await venues(connection)).values() if caller.may_see_venue(it.id)}
    today = dates.local(now_us(), network.settings.zone).date()
    until = last or today
    begin = first or min(until, today).replace(day=1)
    return Asked(network, known, seen, today, min(begin, until), max(begin, until))


def _of(elsewhere: Mapping[str, Taken], money: str) -> list[Taken]:
    return [elsewhere[money]] if money in elsewhere else []


def _spans(today: date, texts: Texts) -> list[Span]:
    month = today.replace(day=1)
    before = month - timedelta(days=1)
    return [
        Span(texts.gettext("Today"), today, today),
        Span(texts.gettext("Yesterday"), today - timedelta(days=1), today - timedelta(days=1)),
        Span(texts.gettext("This month"), month, today),
        Span(texts.gettext("Last month"), before.replace(day=1), before),
        Span(texts.gettext("This year"), today.replace(month=1, day=1), today),
    ]


def _columns(name: str, flows: Iterable[Name], texts: Texts) -> dict[str, Any]:
    """The flows of one table, and its headings."""
    named = [(it, texts.gettext(FLOWS[it])) for it in flows]
    return {name: named, f"{name}_heads": [(label, "num") for _, label in named]}


def _used(names: tuple[Name, ...], found: Sequence[VenuePeriod], money: str | None) -> list[Name]:
    """A column that is empty at every venue is left out, but for what is always expected."""
    return [
        it
        for it in names
        if it in {"sold", "taken_back", "settled"}
        or any(at.taken[money].flows[it].transfers for at in found if money is not None)
    ]
