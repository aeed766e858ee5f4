"""Closings for the people who answer for them: the list, each as it is printed, a table, and the archive."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from app.currencies.service import currencies
from app.identity.admin_frame import render_admin
from app.identity.audit import audit
from app.identity.guard import Caller, SignedIn
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import NotFound
from app.sales.closings import archive, store
from app.sales.closings.document import TillPeriod
from app.sales.closings.gathering import close_day_now
from app.sales.closings.periods import rows_since
from app.sales.closings.store import Sealed
from app.terminals.service import listed, terminals
from app.venues.service import the_network, venue_named, venues

router = APIRouter(include_in_schema=False)

HERE = "/admin/closings"
SHOWN_MAX = 200
PERIODS: Final[tuple[TillPeriod, ...]] = ("session", "day", "month", "year")
# A cell that begins with one of these is run as a formula by spreadsheets.
_SIMPLE = (
    *("total", "deposits_out", "deposits_back", "tips", "given_on_top", "gifted", "voided"),
    *("credited", "uncredited", "trained"),
)
_DRAWER = ("float_cents", "expected_cents", "counted_cents", "difference_cents", "drawer_cents")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@router.get(HERE)
async def closings_page(
    request: Request, caller: Caller, session: SignedIn, period: TillPeriod = "session"
) -> Response:
    """The newest closings, and what is not closed yet."""
    async with context_of(request).reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
        at = {id_: it for id_, it in (await venues(connection)).items() if caller.may_see_venue(id_)}
        found = await store.some(connection, list(at), [period], SHOWN_MAX)
        still_open = [
            (at[row.venue], row.name, rows)
            for row in await terminals(connection)
            if row.venue in at and (rows := await rows_since(connection, await listed(connection, row.id)))
        ]
    return render_admin(
        request,
        session,
        "sales/closings.html",
        place=HERE,
        network_name=network.name,
        period=period,
        periods=PERIODS,
        closings=[it.document for it in found],
        venues=list(at.values()),
        still_open=still_open,
        currencies=known,
    )


@router.get(f"{HERE}/{{closing}}")
async def closing_page(
    request: Request, caller: Caller, session: SignedIn, closing: UUID, narrow: bool = False
) -> Response:
    """One closing, as it was sealed; `narrow` for paper of 80 mm."""
    async with context_of(request).reader.connect() as connection:
        found = await store.named(connection, closing)
        network, known = await the_network(connection), await currencies(connection)
    if found is None:
        raise NotFound("There is no such closing.")
    caller.require_venue(found.document.venue)
    return render_admin(
        request,
        session,
        "sales/closing.html",
        place=HERE,
        network_name=network.name,
        it=found.document,
        sealed=found,
        narrow=narrow,
        currencies=known,
    )


@router.get(f"{HERE}/venues/{{venue}}/closings.csv")
async def closings_table(request: Request, caller: Caller, venue: UUID) -> Response:
    """One line for each figure of each closing of a venue; amounts in minor units."""
    caller.require_venue(venue)
    async with context_of(request).reader.connect() as connection:
        at = await venue_named(connection, venue)
        found = [it for it in await store.chains_at(connection, venue) if it.document.venue == venue]
    return _file(table(found), f"closings-{at.slug}.csv", "text/csv; charset=utf-8")


@router.get(f"{HERE}/venues/{{venue}}/archive.json")
async def closings_archive(request: Request, caller: Caller, venue: UUID) -> Response:
    """All closings of a venue with their seals: `comptoir closings verify` checks the file by itself."""
    caller.require_venue(venue)
    context = context_of(request)
    async with context.reader.connect() as connection:
        at = await venue_named(connection, venue)
        chains = await store.chains_at(connection, venue)
    text = archive.write(chains, venue, context.keys.signing, now_us())
    return _file(text, f"closings-{at.slug}.json", "application/json")


@router.post(f"{HERE}/venues/{{venue}}/day")
async def close_day(request: Request, caller: Caller, session: SignedIn, venue: UUID) -> Response:
    """Close the day of a venue now, with what its tills closed."""
    caller.require_venue(venue)
    context = context_of(request)
    async with context.engine.begin() as connection:
        network, at = await the_network(connection), await venue_named(connection, venue)
        await store.lock(connection)
        made = await close_day_now(connection, context.keys.signing, network, at, at.day_of(now_us()))
        if made is None:
            raise NotFound("No till of this venue was closed since its last daily closing.")
        await audit(connection, session.principal.actor, "closing.day", f"venue:{venue}", closing=str(made))
    return RedirectResponse(f"{HERE}/{made}", 303)


def table(closings: Iterable[Sealed]) -> str:
    """A line for each figure: closing, figure, name (of means, category, rate or reason), currency, minor units."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(["period", "name", "number", "day", "made_at_us", "digest", "figure", "of", "currency", "minor"])
    for it in closings:
        doc = it.document
        head = [doc.period, _safe(doc.name), doc.number, doc.day.isoformat(), doc.made_at_us, it.digest.hex()]
        for figure, of, currency, minor in _lines(it):
            rows.writerow([*head, figure, _safe(of), currency, minor])
    return out.getvalue()


def _lines(it: Sealed) -> Iterator[tuple[str, str, str, int]]:
    doc, figures = it.document, it.document.figures
    for name in ("sales", "gifts", "voids", "top_ups", "refunds", "credits", "training"):
        yield name, "", "", getattr(figures, name)
    for name in _SIMPLE:
        yield from _sums(name, "", getattr(figures, name))
    for name in ("means", "categories", "vat", "voided_means", "topped_up", "refunded"):
        for of, sums in sorted(getattr(figures, name).items()):
            yield from _sums(name, of, sums)
    for name in ("moved_in", "moved_out"):
        for reason, cents in sorted(getattr(figures, name).items()):
            yield name, reason, "EUR", cents
    if doc.drawer is not None:
        for name in _DRAWER:
            if (cents := getattr(doc.drawer, name)) is not None:
                yield name, "", "EUR", cents
    yield from _sums("perpetual_total", "", doc.after.perpetual.total)
    yield from _sums("perpetual_voided", "", doc.after.perpetual.voided)


def _sums(figure: str, of: str, sums: Mapping[str, int]) -> Iterator[tuple[str, str, str, int]]:
    for code, minor in sorted(sums.items()):
        yield figure, of, code, minor


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _file(text: str, name: str, media_type: str) -> Response:
    headers: dict[str, Any] = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=media_type, headers=headers)
