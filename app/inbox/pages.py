"""What needs me? Every fault in the order in which it presses, whose it is, and what can be done about it."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from app.accounting.books.drawer_told import told
from app.currencies.service import currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.rights import allows
from app.identity.roles import Principal
from app.identity.service import names_of
from app.inbox import acting, service, telling, words
from app.inbox.acting import Book
from app.inbox.daily import HERE
from app.inbox.rules import Case
from app.ledger.service import ledger_of
from app.platform.context import context_of
from app.platform.errors import Conflict, DomainError, Invalid
from app.terminals.service import listed
from app.venues.service import the_network, venues
from app.web import N_, texts_of

router = APIRouter(include_in_schema=False)

SHOWN_MAX = 100

Show = Literal["open", "waiting", "done", "mine", "nobody"]
SHOWS: dict[Show, str] = {
    "open": N_("To do"),
    "mine": N_("Mine"),
    "nobody": N_("Nobody’s"),
    "waiting": N_("Waiting"),
    "done": N_("Done"),
}
Typed = Annotated[str, Form(max_length=500)]

_TOLD = {
    "inbox-needs-text": N_("Say why: a year later nobody remembers."),
    "inbox-moved-on": N_("Somebody did something about it meanwhile: look again."),
    "cause-stands": N_("What it is about still stands: put that right, and it closes by itself."),
    "cause-gone": N_("What it was about was put right meanwhile."),
    "card-unknown": N_("No card goes by that number or name, or several do."),
    "later-too-much": N_("Not so much of this line can wait."),
    "later-not-an-amount": N_("Write the amount like 12,50."),
    "run-moved-on": N_("The settlement went on meanwhile: look again."),
    "over-ceiling": N_("The card was topped up at this moment: look again."),
}


@router.get(HERE)
async def exceptions_page(
    request: Request,
    caller: Caller,
    session: SignedIn,
    show: Annotated[Show, Query()] = "open",
    venue: Annotated[UUID | None, Query()] = None,
) -> Response:
    ledger, texts = ledger_of(request), texts_of(request)
    every = await service.cases(ledger, caller)
    if caller.sees_network:
        request.app.state.menu_counts[HERE] = service.counted(every)
    async with context_of(request).reader.connect() as connection:
        network, at, known = await the_network(connection), await venues(connection), await currencies(connection)
        names = await names_of(connection, {it.owner for it in every if it.owner})
    here = [it for it in every if venue is None or it.fault.venue == venue]
    found = {name: [it for it in here if _shows(name, it, caller)] for name in SHOWS}
    return render_admin(
        request,
        session,
        "inbox/list.html",
        place=HERE,
        network_name=network.name,
        here=HERE,
        zone=network.settings.zone,
        show=show,
        shows=[(name, texts.gettext(said), len(found[name])) for name, said in SHOWS.items()],
        venue=venue,
        at=[it for it in at.values() if caller.may_see_venue(it.id)],
        rows=[telling.row(it, at, known, network, texts) for it in found[show][:SHOWN_MAX]],
        more=max(0, len(found[show]) - SHOWN_MAX),
        names=names,
        me=caller.actor,
    )


def _shows(show: Show, it: Case, caller: Principal) -> bool:
    match show:
        case "mine":
            return it.state != "done" and it.owner == caller.actor
        case "nobody":
            return it.state != "done" and not it.owner
        case _:
            return it.state == show


@router.get(HERE + "/{fault}")
async def exception_page(request: Request, caller: Caller, session: SignedIn, fault: str) -> Response:
    return await _render(request, caller, session, fault)


@router.post(HERE + "/{fault}")
async def step_about_exception(
    request: Request,
    caller: Caller,
    session: SignedIn,
    fault: str,
    act: Annotated[Literal["take", "give", "wait", "open", "note", "done"], Form()],
    seen: Annotated[int, Form(ge=0)],
    text: Typed = "",
    to: Typed = "",
) -> Response:
    try:
        await service.do(ledger_of(request), caller, fault, act, seen=seen, text=text, to=to)
    except (Invalid, Conflict) as error:
        return await _render(request, caller, session, fault, wrong=(act, error), typed=text)
    return RedirectResponse(f"{HERE}/{fault}", 303)


@router.post(HERE + "/{fault}/book/{book}")
async def book_about_exception(
    request: Request,
    caller: Caller,
    session: SignedIn,
    fault: str,
    book: Book,
    text: Typed = "",
    card: Typed = "",
    cents: Annotated[int, Form()] = 0,
    amount: Typed = "",
) -> Response:
    """What is booked stays booked: pressed twice, or by two people at once, it is one booking."""
    try:
        await acting.carry_out(request, caller, fault, book, text, card, cents, amount)
    except DomainError as error:
        if error.code not in _TOLD:
            raise
        return await _render(request, caller, session, fault, wrong=(book, error), typed=text, card=card, amount=amount)
    return RedirectResponse(f"{HERE}/{fault}", 303)


async def _render(
    request: Request,
    caller: Principal,
    session: SignedIn,
    key: str,
    *,
    wrong: tuple[str, DomainError] | None = None,
    typed: str = "",
    card: str = "",
    amount: str = "",
) -> Response:
    ledger, texts = ledger_of(request), texts_of(request)
    it = await service.case(ledger, caller, key)
    async with context_of(request).reader.connect() as connection:
        network, at, known = await the_network(connection), await venues(connection), await currencies(connection)
        to = await service.owners(connection, it.fault)
        names = await names_of(connection, {who for step in it.steps for who in (step.actor, step.owner) if who})
        booked = await told(connection, UUID(it.fault.facts["closing"])) if it.fault.kind == "till-difference" else None
        terminal = (await listed(connection, it.fault.terminal)).name if it.fault.terminal else ""
        actions = (
            await acting.actions(connection, it, texts, known)
            if allows(session.principal, "book_about_exception")
            else []
        )
    return render_admin(
        request,
        session,
        "inbox/case.html",
        place=HERE,
        status_code=422 if wrong else 200,
        network_name=network.name,
        here=HERE,
        row=telling.row(it, at, known, network, texts),
        case=it,
        meaning=words.meaning(it.fault, texts, known),
        lines=telling.lines(it, terminal, booked, texts, known),
        links=telling.links(it, booked, session.principal),
        actions=actions,
        owners={who: name for who, name in to.items() if who not in {it.owner, caller.actor}},
        acts=words.ACTS,
        names={**names, **to},
        me=caller.actor,
        wrong=(wrong[0], texts.gettext(_TOLD.get(wrong[1].code, N_("This cannot be done as things stand."))))
        if wrong
        else None,
        typed=typed,
        card=card,
        amount=amount,
    )
