"""A venue's statement in a run: each line opens to its operations; the venue accepts it, or disputes a line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from app.currencies.service import currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.rights import allows
from app.identity.roles import Principal
from app.identity.service import names_of
from app.ledger.service import LineFilter, Moment, ledger_of
from app.platform.context import context_of
from app.platform.errors import NotFound
from app.settlement import invoices, later, paying, runs, store, words
from app.settlement.rules.amounts import NETWORK
from app.venues.service import the_network, venue_named, venues
from app.web import N_, texts_of

router = APIRouter(include_in_schema=False)

PLACE = "/admin/settlements"
SHOWN = 100

OPERATIONS = {
    "sale": N_("Sale"),
    "sale.reversal": N_("Sale taken back"),
    "ticket": N_("Tickets"),
    "ticket.reversal": N_("Tickets taken back"),
    "topup.cash": N_("Top-up in cash"),
    "settlement.redemption": N_("Settled"),
    "settlement.netting": N_("Settled"),
    "settlement.clearing": N_("From another issuer"),
    "settlement.payment": N_("Payment"),
    "settlement.payment.reversal": N_("Payment that came back"),
    "settlement.taken_back": N_("Sale taken back"),
    "settlement.cover": N_("Cover of an offline sale"),
}


@dataclass(frozen=True, slots=True)
class Typed:
    """A form that was refused, as it was typed: the line that it is about, and why."""

    line: int
    amount: str
    reason: str
    owner: str
    wrong: str


@router.get("/admin/settlements/{run}/venues/{venue}")
async def statement_page(request: Request, caller: Caller, session: SignedIn, run: UUID, venue: UUID) -> Response:
    caller.require_venue(venue)
    return await render_statement(request, caller, session, run, venue)


async def render_statement(
    request: Request, caller: Principal, session: SignedIn, run: UUID, venue: UUID, typed: Typed | None = None
) -> Response:
    texts = texts_of(request)
    async with context_of(request).reader.connect() as connection:
        network, found = await the_network(connection), await store.run_named(connection, run)
        at, known = await venue_named(connection, venue), await currencies(connection)
        kept = (await store.statements(connection, run, venue)).get(venue)
        if kept is None:
            raise NotFound("This venue has no statement in this run.")
        issuers = {NETWORK: network.name, **{it.owner: it.name for it in (await venues(connection)).values()}}
        billed = [it for it in await invoices.invoices(connection, run) if it.venue == venue]
        payment = next((it for it in await paying.payments(connection, run) if it.venue == venue), None)
        before = await later.from_before(connection, found, venue)
        named = {it.actor for it in kept.answers} | {it.owner for it in kept.later} | {it.put.owner for it in before}
        names = await names_of(connection, named)
        may_put = found.state == "frozen" and allows(session.principal, "put_off_from_page")
        owners = await later.owners(connection) if may_put else {}
    moneys = {code: it.names[texts.language] for code, it in known.items()}
    return render_admin(
        request,
        session,
        "settlement/statement.html",
        place=PLACE,
        network_name=network.name,
        zone=network.settings.zone,
        here=f"{PLACE}/{run}/venues/{venue}",
        back=f"{PLACE}/{run}" if caller.sees_network else PLACE,
        run=found,
        venue=at,
        statement=kept,
        status_code=422 if typed else 200,
        lines=[(it, words.line_in_words(it, moneys, issuers, texts), known.get(it.currency)) for it in kept.lines],
        can_wait={it.number: most for it in kept.lines if (most := later.can_wait(kept, it))} if may_put else {},
        before=[
            (it, words.line_in_words(it.line, moneys, issuers, texts), known.get(it.line.currency)) for it in before
        ],
        owners=owners,
        me=caller.actor,
        typed=typed,
        invoices=[(it, issuers.get(it.issuer, it.issuer)) for it in billed],
        payment=payment,
        names=names,
        answers=words.ANSWERS,
        left_out=words.LEFT_OUT,
        paid=words.PAID,
        states=words.STATES,
    )


@router.post("/admin/settlements/{run}/venues/{venue}")
async def answer_from_page(
    request: Request,
    caller: Caller,
    run: UUID,
    venue: UUID,
    answer: Annotated[Literal["accepted", "disputed"], Form()],
    line: Annotated[int | None, Form()] = None,
    text: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    caller.require_venue(venue)
    await runs.answer(ledger_of(request), run, venue, answer, line=line, text=text, actor=caller.actor)
    return RedirectResponse(f"{PLACE}/{run}/venues/{venue}", 303)


@router.get("/admin/settlements/{run}/venues/{venue}/lines/{line}")
async def statement_line_page(
    request: Request,
    caller: Caller,
    session: SignedIn,
    run: UUID,
    venue: UUID,
    line: int,
    after: Annotated[int | None, Query(ge=0, le=2**62)] = None,
) -> Response:
    """Everything that moved the account between the cut-off before and this one, the oldest first."""
    caller.require_venue(venue)
    texts, ledger = texts_of(request), ledger_of(request)
    async with context_of(request).reader.connect() as connection:
        network, found = await the_network(connection), await store.run_named(connection, run)
        at, known = await venue_named(connection, venue), await currencies(connection)
        kept = (await store.statements(connection, run, venue)).get(venue)
        issuers = {NETWORK: network.name, **{it.owner: it.name for it in (await venues(connection)).values()}}
    one = next((it for it in kept.lines if it.number == line), None) if kept is not None else None
    if one is None or one.account is None:
        raise NotFound("There is no such line.")
    opened, closed = Moment(0, one.from_transfer), Moment(0, one.upto_transfer)
    moved, following = await ledger.history.lines(one.account, opened, closed, LineFilter(), cursor=after, limit=SHOWN)
    moneys = {code: it.names[texts.language] for code, it in known.items()}
    return render_admin(
        request,
        session,
        "settlement/statement_line.html",
        place=PLACE,
        network_name=network.name,
        zone=at.zone,
        back=f"{PLACE}/{run}/venues/{venue}",
        here=f"{PLACE}/{run}/venues/{venue}/lines/{line}",
        run=found,
        venue=at,
        line=one,
        title=words.line_in_words(one, moneys, issuers, texts),
        currency=known.get(one.currency),
        moved=[(it.booked, texts.gettext(OPERATIONS.get(it.booked.kind, N_("Correction")))) for it in moved],
        after=after,
        following=following,
    )
