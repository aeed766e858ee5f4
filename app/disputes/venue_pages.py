"""What do holders dispute? The venue's side: the sale with what stood around it, and the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from app.cards.service import card_by_id, cards_of_wallet
from app.currencies.service import Currency, currencies
from app.disputes import service
from app.disputes.rules import AROUND_US
from app.disputes.service import Dispute
from app.disputes.words import SAID, STATES
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.roles import Principal
from app.identity.service import names_of
from app.ledger.service import Ledger, ledger_of
from app.ledger.sold import sales_of
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import DomainError, Invalid, NotFound
from app.sales.receipts import receipt
from app.venues.service import Venue, the_network, venues
from app.web import N_, Texts, texts_of

router = APIRouter(include_in_schema=False)

HERE = "/admin/disputes"
Show = Literal["open", "answered"]
SHOWS: dict[Show, str] = {"open": N_("To answer"), "answered": N_("Answered")}


@router.get(HERE)
async def disputes_page(
    request: Request, caller: Caller, session: SignedIn, show: Annotated[Show, Query()] = "open"
) -> Response:
    texts, now = texts_of(request), now_us()
    which = None if caller.sees_network else caller.venues
    async with context_of(request).reader.connect() as connection:
        network, at = await the_network(connection), await venues(connection)
        found = await service.listed(connection, which, answered=show == "answered")
    return render_admin(
        request,
        session,
        "disputes/list.html",
        place=HERE,
        network_name=network.name,
        here=HERE,
        show=show,
        shows=[(name, texts.gettext(said)) for name, said in SHOWS.items()],
        rows=[
            {
                "it": it,
                "what": texts.gettext(SAID[it.reason]),
                "venue": at[it.venue],
                "state": texts.gettext(STATES[it.state]),
                "late": it.late(now),
            }
            for it in found
        ],
    )


@router.get(HERE + "/{dispute}")
async def dispute_page(request: Request, caller: Caller, session: SignedIn, dispute: UUID) -> Response:
    return await _render(request, caller, session, dispute)


@router.post(HERE + "/{dispute}")
async def answer_dispute(
    request: Request,
    caller: Caller,
    session: SignedIn,
    dispute: UUID,
    act: Annotated[Literal["take_back", "refuse"], Form()],
    words: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Answered once: whoever comes second sees the first answer."""
    async with context_of(request).reader.connect() as connection:
        it = await service.named(connection, dispute)
    caller.require_venue(it.venue)
    try:
        if act == "take_back":
            await service.take_back(ledger_of(request), session.principal, it, words.strip())
        else:
            await service.refuse(ledger_of(request), session.principal, it, words)
    except Invalid as error:
        if error.code != "dispute-needs-words":
            raise
        return await _render(request, caller, session, dispute, wrong=True)
    except DomainError as error:
        if error.code != "dispute-answered":
            raise
    return RedirectResponse(f"{HERE}/{dispute}", 303)


async def _render(
    request: Request, caller: Principal, session: SignedIn, id_: UUID, *, wrong: bool = False
) -> Response:
    ledger, texts = ledger_of(request), texts_of(request)
    async with context_of(request).reader.connect() as connection:
        it = await service.named(connection, id_)
        if not caller.may_see_venue(it.venue):
            raise NotFound("There is no such dispute.")
        network, at, known = await the_network(connection), await venues(connection), await currencies(connection)
        card = await card_by_id(connection, it.card)
        own = {one.uid for one in await cards_of_wallet(connection, it.wallet)}
    page = await ledger.history.operation(it.sale)
    sold = page.operations[0]
    details = json.loads(sold.details)
    async with context_of(request).reader.connect() as connection:
        cashier = f"person:{details.get('cashier')}" if details.get("cashier") else ""
        names = await names_of(connection, {one for one in (cashier, it.answered_by) if one})
    return render_admin(
        request,
        session,
        "disputes/dispute.html",
        place=HERE,
        status_code=422 if wrong else 200,
        network_name=network.name,
        here=HERE,
        it=it,
        what=texts.gettext(SAID[it.reason]),
        state=texts.gettext(STATES[it.state]),
        late=it.late(now_us()),
        venue=at[it.venue],
        card=card,
        seq=sold.seq,
        taken_back=bool(page.reversed_by),
        receipt=await receipt(ledger, it.sale, known, at),
        cashier=initials(names.get(cashier, "")),
        answered_by=names.get(it.answered_by or "", ""),
        around=await _around(ledger, at[it.venue], it, sold.terminal, sold.occurred_at_us, own, known, texts),
        wrong=wrong,
    )


async def _around(
    ledger: Ledger,
    venue: Venue,
    it: Dispute,
    terminal: UUID | None,
    at_us: int,
    own: set[str],
    known: Mapping[str, Currency],
    texts: Texts,
) -> list[dict[str, Any]]:
    """Sales of the same till shortly before and after, the disputed one among them. Of the cards it is said only
    whether it was one of this wallet's: the others' holders are nobody's business here."""
    async with ledger.reader.connect() as connection:
        day = await sales_of(connection, [venue.id], venue.day_of(at_us), at_us - AROUND_US)
    undone = {one.undoes for one in day if one.undoes is not None}
    found = []
    for one in sorted(day, key=lambda one: one.occurred_at_us):
        if one.undoes is not None or one.terminal != terminal or one.occurred_at_us > at_us + AROUND_US:
            continue
        told: dict[str, Any] = json.loads(one.details)
        found.append(
            {
                "at_us": one.occurred_at_us,
                "items": ", ".join(_item(line) for line in told.get("lines", ())),
                "amount": _amount(told, known, texts),
                "same_card": str(told.get("card") or "") in own,
                "this": one.id == it.sale,
                "taken_back": one.id in undone,
            }
        )
    return found


def _item(line: Mapping[str, Any]) -> str:
    quantity = int(line["quantity"])
    return str(line["name"]) if quantity == 1 else f"{quantity} × {line['name']}"


def _amount(told: Mapping[str, Any], known: Mapping[str, Currency], texts: Texts) -> str:
    sums: dict[str, int] = {}
    for line in told.get("lines", ()):
        code = str(line["currency"])
        sums[code] = sums.get(code, 0) + int(line["quantity"]) * int(line["unit_price"])
    return " + ".join(known[code].text(minor, texts.language) for code, minor in sums.items() if code in known)


def initials(name: str) -> str:
    """ "Lucas Montreuil" is L. M.: enough for those who were there."""
    return " ".join(f"{part[0].upper()}." for part in name.split() if part)
