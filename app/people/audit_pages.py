"""Who saw, changed or exported what?"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import date, timedelta
from typing import Annotated, Final, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from app.identity import audit_log, store
from app.identity.admin_frame import render_admin
from app.identity.audit_log import Kind, Wanted
from app.identity.guard import SignedIn
from app.people.audit_details import Reader, told, who
from app.people.audit_words import ACTS
from app.platform.context import context_of
from app.rules.business_day import day_start_us
from app.venues.service import Venue, the_network, venues
from app.web import N_, dates, texts_of

T = TypeVar("T")

router = APIRouter(include_in_schema=False)

HERE: Final = "/admin/audit"
SHOWN: Final = 100

KINDS: Final[dict[Kind, str]] = {"saw": N_("Saw"), "exported": N_("Exported"), "changed": N_("Changed")}
TINTS: Final[dict[Kind, str]] = {"saw": "", "exported": "warn", "changed": "calm"}
# A cell that begins with one of these is run as a formula by spreadsheets.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

Asked = Annotated[str, Query(max_length=40)]


@router.get(HERE)
async def audit_page(
    request: Request,
    session: SignedIn,
    person: Asked = "",
    venue: Asked = "",
    kind: Asked = "",
    first: Asked = "",
    last: Asked = "",
    before: Annotated[str | None, Query(max_length=60)] = None,
) -> Response:
    async with context_of(request).reader.connect() as connection:
        network, at = await the_network(connection), await venues(connection)
        wanted = _wanted(person, venue, kind, first, last, network.settings.zone, at)
        found = await audit_log.entries(connection, wanted, before, SHOWN + 1)
        people = {row.id: row.name for row in await store.everybody(connection)}
    chosen = {"person": person, "venue": venue, "kind": kind, "first": first, "last": last}
    asked = urlencode({name: it for name, it in chosen.items() if it})
    names = {it.id: it.name for it in at.values()}
    to = Reader(texts_of(request), network.settings.zone, people, names)
    return render_admin(
        request,
        session,
        "people/audit.html",
        place=HERE,
        network_name=network.name,
        zone=network.settings.zone,
        here=HERE,
        entries=[(it, who(it.actor, to), who(it.subject, to), told(it.details, to)) for it in found[:SHOWN]],
        older=f"{HERE}?{asked}&before={found[SHOWN - 1].cursor}" if len(found) > SHOWN else None,
        table_url=f"{HERE}/audit.csv?{asked}",
        people=sorted(people.items(), key=lambda it: it[1]),
        venues=list(names.items()),
        kinds=KINDS,
        acts=ACTS,
        tints=TINTS,
        chosen=chosen,
    )


@router.get(HERE + "/audit.csv")
async def audit_table(
    request: Request,
    person: Asked = "",
    venue: Asked = "",
    kind: Asked = "",
    first: Asked = "",
    last: Asked = "",
) -> Response:
    """The same for a spreadsheet, whole."""
    context, french = context_of(request), texts_of(request).language == "fr"
    async with context.reader.connect() as connection:
        network, at = await the_network(connection), await venues(connection)
        people = {row.id: row.name for row in await store.everybody(connection)}
    wanted = _wanted(person, venue, kind, first, last, network.settings.zone, at)
    names = {it.id: it.name for it in at.values()}
    to = Reader(texts_of(request), network.settings.zone, people, names)

    async def rows() -> AsyncIterator[str]:
        yield "\ufeff" + _line(["at", "who", "kind", "action", "subject", "details"], french)
        async with context.reader.connect() as connection:
            async for it in audit_log.all_entries(connection, wanted):
                moment = dates.local(it.at_us, network.settings.zone).isoformat(sep=" ", timespec="seconds")
                said = "; ".join(f"{name}: {value}" for name, value in it.details.items())
                yield _line([moment, who(it.actor, to), it.kind, it.action, who(it.subject, to), said], french)

    headers = {"Content-Disposition": 'attachment; filename="audit.csv"', "Cache-Control": "no-store"}
    return StreamingResponse(rows(), media_type="text/csv", headers=headers)


def _wanted(person: str, venue: str, kind: str, first: str, last: str, zone: str, at: Mapping[UUID, Venue]) -> Wanted:
    """What was chosen; what is empty, or cannot be read, is not asked for."""
    place = at.get(found) if (found := _read(UUID, venue)) is not None else None
    return Wanted(
        _read(UUID, person),
        () if place is None else (str(place.id), place.slug),
        next((it for it in KINDS if it == kind), None),
        _read(lambda text: day_start_us(date.fromisoformat(text), zone), first),
        _read(lambda text: day_start_us(date.fromisoformat(text) + timedelta(days=1), zone), last),
    )


def _read(how: Callable[[str], T], text: str) -> T | None:
    try:
        return how(text)
    except (ValueError, OverflowError):
        return None


def _line(cells: list[str], french: bool) -> str:
    out = io.StringIO()
    safe = [f"'{it}" if it.startswith(_FORMULA) else it for it in cells]
    csv.writer(out, delimiter=";" if french else ",").writerow(safe)
    return out.getvalue()
