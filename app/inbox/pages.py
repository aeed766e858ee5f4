"""What needs me? Every fault in the order in which it presses, whose it is, and what can be done about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import RedirectResponse, Response

from app.cards.service import cards_described
from app.currencies.service import Currency, currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.rights import allows
from app.identity.roles import Principal
from app.identity.service import names_of
from app.inbox import booking, service, words
from app.inbox.daily import HERE
from app.inbox.finding import SUSPENSE
from app.inbox.rules import Case
from app.ledger.service import ledger_of
from app.money import Unit, format_amount
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Conflict, DomainError, Invalid, NotFound
from app.settlement.terms import WHOLE, network_terms
from app.terminals.service import listed
from app.topups import online
from app.venues.service import Network, Venue, the_network, venues
from app.web import N_, Texts, dates, texts_of

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
Book = Literal["cover-policy", "cover-network", "link", "writeoff-policy", "writeoff-network", "ask", "repay"]
Typed = Annotated[str, Form(max_length=500)]

_TOLD = {
    "inbox-needs-text": N_("Say why: a year later nobody remembers."),
    "inbox-moved-on": N_("Somebody did something about it meanwhile: look again."),
    "cause-stands": N_("What it is about still stands: put that right, and it closes by itself."),
    "cause-gone": N_("What it was about was put right meanwhile."),
    "card-unknown": N_("No card goes by that number or name, or several do."),
    "over-ceiling": N_("The card was topped up at this moment: look again."),
}


@dataclass(frozen=True, slots=True)
class Action:
    """A form that books. `card`: it asks for one. `cents`: what the page showed."""

    book: Book
    text: str
    hint: str
    card: bool = False
    reason: bool = True
    cents: int | None = None


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
        rows=[_row(it, at, known, network, texts) for it in found[show][:SHOWN_MAX]],
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


def _row(it: Case, at: dict[UUID, Venue], known: dict[str, Currency], network: Network, texts: Texts) -> dict[str, Any]:
    place = at.get(it.fault.venue) if it.fault.venue else None
    return {
        "case": it,
        "href": f"{HERE}/{it.fault.key}",
        "title": words.title(it.fault, texts, known),
        "urgent": words.urgent(it),
        "place": place.name if place else network.name,
        "zone": place.zone if place else network.settings.zone,
        "state": texts.gettext(words.STATES[it.state]),
    }


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
) -> Response:
    """What is booked stays booked: pressed twice, or by two people at once, it is one booking."""
    try:
        await _book(request, caller, fault, book, text, card, cents)
    except DomainError as error:
        if error.code not in _TOLD:
            raise
        return await _render(request, caller, session, fault, wrong=(book, error), typed=text, card=card)
    return RedirectResponse(f"{HERE}/{fault}", 303)


async def _book(request: Request, caller: Principal, key: str, book: Book, text: str, typed: str, cents: int) -> None:
    ledger = ledger_of(request)
    found = (await service.case(ledger, caller, key)).fault
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
        of_card = await cards_described(connection, typed) if typed.strip() else []
    day = dates.local(now_us(), network.settings.zone).date()
    who: booking.Who = "policy" if book.endswith("policy") else "network"
    match book, found.kind:
        case (("cover-policy" | "cover-network"), "offline-overdraft"):
            await booking.cover(ledger, caller, found, who, text, day)
        case (("writeoff-policy" | "writeoff-network"), kind) if kind in SUSPENSE:
            await booking.write_off(ledger, caller, found, who, text, day)
        case "link", kind if kind in SUSPENSE:
            if len(of_card) != 1:
                raise NotFound("No card goes by that number or name, or several do.", "card-unknown")
            await booking.link(ledger, caller, found, of_card[0], text, day)
        case "ask", ("paid-not-credited" | "payment-not-known"):
            await _ask(request, caller, key, UUID(key.partition(":")[2]))
        case "ask", "payout-line" if found.facts["what"] == "not_credited":
            await _ask(request, caller, key, UUID(found.facts["topup"]))
        case "repay", "reserve-owed":
            await booking.repay_reserve(ledger, caller, found, cents, text, day)
        case _:
            raise Invalid("This is not done about such an exception.", "inbox-not-this")


async def _ask(request: Request, caller: Principal, key: str, id_: UUID) -> None:
    """The provider's word counts, whoever asks for it."""
    settled = await online.settle(request, id_, again=True)
    if settled.status == "credited":
        said = texts_of(request).gettext("The provider says that it was paid.")
        await service.booked(ledger_of(request), caller, key, said, id_)


async def _render(
    request: Request,
    caller: Principal,
    session: SignedIn,
    key: str,
    *,
    wrong: tuple[str, DomainError] | None = None,
    typed: str = "",
    card: str = "",
) -> Response:
    ledger, texts = ledger_of(request), texts_of(request)
    it = await service.case(ledger, caller, key)
    async with context_of(request).reader.connect() as connection:
        network, at, known = await the_network(connection), await venues(connection), await currencies(connection)
        to = await service.owners(connection, it.fault)
        names = await names_of(connection, {who for step in it.steps for who in (step.actor, step.owner) if who})
        terminal = (await listed(connection, it.fault.terminal)).name if it.fault.terminal else ""
        actions = (
            await _actions(connection, it, texts, known) if allows(session.principal, "book_about_exception") else []
        )
    return render_admin(
        request,
        session,
        "inbox/case.html",
        place=HERE,
        status_code=422 if wrong else 200,
        network_name=network.name,
        here=HERE,
        row=_row(it, at, known, network, texts),
        case=it,
        meaning=words.meaning(it.fault, texts, known),
        lines=_lines(it, terminal, texts, known),
        link=_link(it, session.principal),
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
    )


def _lines(it: Case, terminal: str, texts: Texts, known: dict[str, Currency]) -> list[tuple[str, str]]:
    """The story's particulars: (what, what it is)."""
    facts = it.fault.facts
    found = [(texts.gettext("Terminal"), terminal)]
    if "seq" in facts:
        found.append(
            (texts.gettext("Operation"), f"no. {facts['seq']}" if texts.language == "en" else f"n° {facts['seq']}")
        )
    for uid, of in facts.get("debts", {}).items():
        label = facts["labels"].get(uid, uid)
        owed = words.amounts(facts["owed"][uid], texts, known)
        if it.fault.kind == "chargeback":
            found.append((texts.gettext("Still owed of it by %(label)s", label=label), owed))
            continue
        found.append((texts.gettext("Owed for this sale by %(label)s", label=label), owed))
        if left := words.amounts(of, texts, known):
            found.append((texts.gettext("Owed by %(label)s now, in all", label=label), left))
    if waiting := words.amounts(facts.get("waiting", {}), texts, known):
        found.append((texts.gettext("Still in suspense"), waiting))
    if fee := facts.get("fee_cents"):
        euros = format_amount(fee, Unit.CENT, "€", texts.language)
        found.append((texts.gettext("The provider’s fee for it"), euros))
    for name, said in (
        ("party", N_("From or to")),
        ("text", N_("What the bank says")),
        ("provider", N_("Provider")),
        ("reference", N_("Reference")),
    ):
        found.append((texts.gettext(said), str(facts.get(name) or "")))
    return [each for each in found if each[1]]


def _link(it: Case, reader: Principal) -> tuple[str, str] | None:
    """Where it is put right, where that is not here and open to the reader."""
    facts = it.fault.facts
    found: tuple[str, str, str] | None = None
    match it.fault.kind:
        case "forked-journal" | "late-rows":
            found = "review_page", f"/admin/terminals/{facts['terminal']}/review", N_("Review")
        case "payout-line":
            found = "payout_page", f"/admin/payments/{facts['payout']}", N_("To the payout")
        case "bank-line":
            found = "statements_page", f"/admin/statements#line-{facts['line']}", N_("Say what it is")
        case "payment-failed" if allows(reader, "settlement_page"):
            found = "settlement_page", f"/admin/settlements/{facts['run']}", N_("To the settlement")
        case "payment-failed":
            venue = f"/admin/settlements/{facts['run']}/venues/{it.fault.venue}"
            found = "statement_page", venue, N_("To the settlement")
        case "reserve-owed" | "reserve-short":
            found = "reserve_page", "/admin/reserve", N_("To the reserve")
    return found[1:] if found and allows(reader, found[0]) else None


async def _actions(connection: AsyncConnection, it: Case, texts: Texts, known: dict[str, Currency]) -> list[Action]:
    """What may be booked as things stand."""
    if not it.fault.cause:
        return []
    facts, kind = it.fault.facts, it.fault.kind
    if kind in {"paid-not-credited", "payment-not-known"} or facts.get("what") == "not_credited":
        ask = texts.gettext("Ask the provider, and credit the card if it was paid")
        return [Action("ask", ask, texts.gettext("It is credited once, whoever asks and how often."), reason=False)]
    if kind == "reserve-owed":
        euros = format_amount(facts["cents"], Unit.CENT, "€", texts.language)
        hint = texts.gettext("Say so once the transfer from the network’s own account is made.")
        return [
            Action(
                "repay", texts.gettext("%(amount)s were sent to the reserve", amount=euros), hint, cents=facts["cents"]
            )
        ]
    found = []
    if kind in SUSPENSE:
        hint = texts.gettext("It pays what it holds; the rest it owes, and the next top-up pays that first.")
        found.append(Action("link", texts.gettext("It was this card"), hint, card=True))
        if any(units < 0 for units in facts["waiting"].values()) or any(
            known[c].kind == "mutual" for c in facts["waiting"]
        ):
            return found
    elif kind not in {"offline-overdraft", "chargeback"}:
        return []
    bears = (await network_terms(connection)).venue_bears if it.fault.venue else 0
    word: Literal["cover", "writeoff"] = "writeoff" if kind in SUSPENSE else "cover"
    if bears:
        share = f"{bears * 100 // WHOLE} %"
        hint = texts.gettext("By the terms of settlement the venue bears %(share)s, the network the rest.", share=share)
        by_terms: Book = "cover-policy" if word == "cover" else "writeoff-policy"
        found.append(Action(by_terms, texts.gettext("Share the loss by the terms"), hint))
    if any(known[code].cents_per_unit for of in _owed(it) for code in of if code in known):
        hint = texts.gettext("Venues keep their claims; the network pays for them out of its own money.")
    else:
        hint = texts.gettext("The venue keeps what it took; nobody owes it any more.")
    alone: Book = "cover-network" if word == "cover" else "writeoff-network"
    found.append(Action(alone, texts.gettext("The network bears the loss"), hint))
    return found


def _owed(it: Case) -> list[dict[str, int]]:
    """What is missing, in minor units by currency."""
    return list(it.fault.facts["owed"].values()) if "owed" in it.fault.facts else [it.fault.facts["waiting"]]
