"""How is it selling, and what did it bring? Each event’s tickets while they are sold, the statement of its receipts,
and its buyers, whom only the event’s own venue sees."""

from __future__ import annotations

import asyncio
import csv
import io
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.currencies.service import Currency, currencies
from app.dashboards.files import file_of
from app.dashboards.sections import said
from app.eventbooks.audience import Audience
from app.eventbooks.pdf import statement_pdf
from app.eventbooks.reading import buyers_of, by_hand_of, came_to, claimed, taken_of, tariffs, tickets_of
from app.eventbooks.rights import rights_of
from app.eventbooks.rules import statement
from app.eventbooks.view import CHANNELS, EURO, View
from app.events.rules import Event
from app.events.service import event_named, events
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.roles import Principal
from app.ledger.service import ledger_of
from app.money import format_amount
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Forbidden
from app.returns.reading import kept_of
from app.settlement.positions_csv import cell
from app.venues.service import Network, Venue, the_network, venues
from app.web import N_, render, texts_of
from app.web.dates import moment

router = APIRouter(include_in_schema=False)

HERE: Final = "/admin/box-office"
# Of what is over, the newest are listed.
PAST_MAX: Final = 40
_STATES: Final = {"valid": N_("valid"), "refunded": N_("refunded"), "void": N_("cancelled")}


@dataclass(frozen=True, slots=True)
class Row:
    """`taken`: what was paid for tickets that hold, as text by money."""

    event: Event
    venue: Venue
    tickets: int
    taken: list[str]


@router.get(HERE)
async def box_office_page(request: Request, caller: Caller, session: SignedIn) -> Response:
    now, language = now_us(), texts_of(request).language
    async with context_of(request).reader.connect() as connection:
        network, at, known = await the_network(connection), await venues(connection), await currencies(connection)
        seen = [it for it in (await events(connection)).values() if caller.may_see_venue(it.venue)]
        coming = [it for it in seen if it.ends_at_us > now]
        past = [it for it in reversed(seen) if it.ends_at_us <= now and it.status != "draft"][:PAST_MAX]
        shown = [it.id for it in (*coming, *past)]
        taken = await taken_of(connection, shown) if shown else []

    def rows(of: list[Event]) -> list[Row]:
        return [
            Row(
                it,
                at[it.venue],
                sum(one.tickets for one in taken if one.event == it.id),
                [known[one.currency].text(one.amount, language) for one in taken if one.event == it.id and one.amount],
            )
            for it in of
        ]

    return render_admin(
        request,
        session,
        "eventbooks/events.html",
        place=HERE,
        network_name=network.name,
        coming=rows(coming),
        past=rows(past),
        several=len({it.venue for it in seen}) > 1,
    )


@router.get(f"{HERE}/{{event}}")
async def event_sales_page(request: Request, caller: Caller, session: SignedIn, event: UUID) -> Response:
    shown = await _shown(request, caller, event)
    return render_admin(
        request, session, "eventbooks/event.html", place=HERE, own=_own(session.principal, shown["event"]), **shown
    )


@router.get(f"{HERE}/{{event}}/now")
async def event_sales_now(request: Request, caller: Caller, event: UUID) -> Response:
    """The part of the page that changes by itself."""
    return render(request, "eventbooks/now.html", **await _shown(request, caller, event))


@router.get(f"{HERE}/{{event}}/file/{{section}}.{{ending}}")
async def event_sales_file(
    request: Request, caller: Caller, event: UUID, section: str, ending: Literal["csv", "xlsx"]
) -> Response:
    shown = await _shown(request, caller, event)
    return file_of(shown["sections"], section, ending, shown["event"].slug, texts_of(request))


@router.get(f"{HERE}/{{event}}/statement.pdf")
async def event_statement(request: Request, caller: Caller, event: UUID) -> Response:
    shown, texts = await _shown(request, caller, event), texts_of(request)
    it, venue = shown["event"], shown["venue"]
    _ = texts.gettext
    lines = [
        f"{venue.name}, {moment(it.starts_at_us, venue.zone, texts)}",
        _("Capacity: %(number)s", number=it.capacity)
        + " · "
        + _("Tickets: %(number)s", number=shown["statement"].tickets)
        + " · "
        + _("of these free: %(number)s", number=shown["statement"].free),
    ]
    made = _("%(network)s, %(when)s", network=shown["network_name"], when=moment(now_us(), venue.zone, texts))
    sections = [one for one in shown["sections"] if one.name in {"receipts", "kept", "vat", "rights", "channels"}]
    title = f"{_('Statement of receipts')} · {it.title(texts.language)}"
    content = await asyncio.to_thread(statement_pdf, title, lines, sections, made, texts)
    headers = {"Content-Disposition": f'attachment; filename="{it.slug}-receipts.pdf"', "Cache-Control": "no-store"}
    return Response(content, media_type="application/pdf", headers=headers)


@router.get(f"{HERE}/{{event}}/buyers.csv")
async def event_buyers(request: Request, session: SignedIn, event: UUID) -> Response:
    """Who comes belongs to the venue that invites them: nobody else reads it, whatever they may do in the network."""
    texts = texts_of(request)
    async with context_of(request).reader.connect() as connection:
        it = await event_named(connection, event)
        if not _own(session.principal, it):
            raise Forbidden("Only the event's own venue sees who bought.")
        at, known = (await venues(connection))[it.venue], await currencies(connection)
        buyers = await buyers_of(connection, event)
    names = {one.id: one.name(texts.language) for one in it.prices}
    french = texts.language == "fr"
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if french else ",")
    _ = texts.gettext
    heads = [_("Ticket"), _("Name"), _("Card"), _("Price"), _("Amount"), _("Money"), _("Where it was sold"), _("State")]
    writer.writerow([*heads, _("When"), _("Order")])
    for one in buyers:
        money = known[one.currency]
        amount = format_amount(one.amount, money.unit, "", texts.language).strip()
        words = [one.name, one.card, names.get(one.price, ""), amount, money.code]
        words += [_(CHANNELS.get(one.channel, one.channel)), _(_STATES[one.state])]
        words += [moment(one.issued_at_us, at.zone, texts), str(one.order)]
        writer.writerow([one.serial, *(cell(word) for word in words)])
    headers = {"Content-Disposition": f'attachment; filename="{it.slug}-buyers.csv"', "Cache-Control": "no-store"}
    return Response(out.getvalue().encode("utf-8-sig"), media_type="text/csv", headers=headers)


def _own(reader: Principal, event: Event) -> bool:
    """Whether they manage the event's venue itself."""
    return event.venue in reader.venues and reader.may_see_venue(event.venue)


async def _shown(request: Request, caller: Principal, event: UUID) -> dict[str, Any]:
    texts, ledger = texts_of(request), ledger_of(request)
    async with context_of(request).reader.connect() as connection:
        network: Network = await the_network(connection)
        it = await event_named(connection, event)
        caller.require_venue(it.venue)
        venue = (await venues(connection))[it.venue]
        known: dict[str, Currency] = await currencies(connection)
        tickets, came = await tickets_of(connection, event), await came_to(connection, event)
        rights, _ = await rights_of(connection, it.venue, event)
        kept = await kept_of(connection, event)
        by_hand = await by_hand_of(connection, event)
        in_claim = await claimed(ledger, connection, event, venue.owner)
    kept_in_all: Counter[str] = Counter()
    for one in kept:
        kept_in_all[one.currency] += one.amount
    prices = tariffs(it, known)
    found = statement(tickets, prices)
    view = View(found, tickets, known, venue.zone, texts, rights, kept)
    audience = Audience(came, prices, venue.zone, texts, whole=_own(caller, it))
    return {
        "network_name": network.name,
        "here": f"{HERE}/{event}",
        "event": it,
        "venue": venue,
        "statement": found,
        "left": it.left,
        "members": view.member_share(),
        "gross": EURO.text(found.gross, texts.language),
        "net": EURO.text(found.net, texts.language),
        "kept": [known[code].text(amount, texts.language) for code, amount in sorted(kept_in_all.items())],
        "by_hand": [known[code].text(amount, texts.language) for code, amount in sorted(by_hand.items())],
        "claim": [known[code].text(amount, texts.language) for code, amount in sorted(in_claim.items())],
        "standing": it.standing(now_us()),
        "sections": [*view.sections(), *audience.sections()],
        "said": lambda cell: said(cell, texts),
    }
