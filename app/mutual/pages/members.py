"""Where members stand: what they hold and owe, their trades, and entering new ones."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from app.cards.service import cards_described
from app.currencies.service import currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import SignedIn
from app.ledger.service import ledger_of
from app.money import AmountNotUnderstood, parse_amount
from app.mutual import books, funds, memberships, trades
from app.mutual.ground import ground_of
from app.mutual.members import add_member, member_by_id, members, open_credit
from app.mutual.rules import ROLES, Role
from app.platform.context import context_of
from app.platform.errors import DomainError
from app.rules.ids import uuid7
from app.venues.service import the_network
from app.web import N_, Texts, texts_of

router = APIRouter(include_in_schema=False)

HERE = "/admin/members"
ENTRIES_SHOWN = 50

ROLE_NAMES: dict[Role, str] = {
    "contributor": N_("Contributor"),
    "user": N_("User"),
    "host": N_("Host"),
    "mutualiser": N_("Mutualiser"),
}
KIND_NAMES = {
    "trade": N_("Trade"),
    "trade.reversal": N_("Trade taken back"),
    "transfer": N_("Transfer"),
    "sale": N_("Sale"),
    "ticket": N_("Tickets"),
    "pass": N_("Pass"),
    "pass.back": N_("Given back for a pass"),
    "topup.cash": N_("Top-up"),
    "topup.online": N_("Top-up"),
    "shift": N_("Hours"),
    "gift": N_("Gift"),
    "loan.end": N_("Loan"),
    "contribution": N_("Contribution"),
    "roundup": N_("Round-up"),
    "membership": N_("Membership"),
}

Typed = Annotated[str, Form(max_length=300)]


@router.get(HERE)
async def members_page(request: Request, session: SignedIn, done: Annotated[UUID | None, Query()] = None) -> Response:
    return await _page(request, session, done=done)


@router.post(HERE)
async def add_member_by_form(
    request: Request,
    session: SignedIn,
    card: Typed = "",
    name: Annotated[str, Form(max_length=120)] = "",
    roles: Annotated[list[Role] | None, Form()] = None,
) -> Response:
    context, texts = context_of(request), texts_of(request)
    chosen, problems = tuple(roles or ()), dict[str, str]()
    async with context.reader.connect() as connection:
        found = await cards_described(connection, card) if card.strip() else []
        known = await currencies(connection)
        grounds = [await ground_of(connection, code, "mutual") for code, it in known.items() if it.kind == "mutual"]
    if not name.strip():
        problems["name"] = texts.gettext("Write the member’s name.")
    if len(found) != 1:
        problems["card"] = texts.gettext("No single card matches this. Check what is printed on it.")
    if not problems:
        try:
            new = await add_member(context.engine, found[0].uid, name.strip(), chosen, session.principal.actor)
        except DomainError as error:
            if error.code != "member-exists":
                raise
            problems["card"] = texts.gettext("This card belongs to a member already.")
        else:
            for ground in grounds:
                await open_credit(context.engine, ledger_of(request), new, ground.currency, ground.rules.policy)
            return RedirectResponse(f"{HERE}/{new.id}", 303)
    return await _page(request, session, problems=problems, typed={"card": card, "name": name}, roles=chosen)


@router.post(f"{HERE}/trades")
async def trade_by_form(
    request: Request,
    session: SignedIn,
    id: Annotated[UUID, Form()],
    currency: Typed,
    buyer: Annotated[UUID, Form()],
    seller: Annotated[UUID, Form()],
    amount: Typed = "",
    reason: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """The form's id is the operation's: sent twice, it is booked once."""
    context, texts = context_of(request), texts_of(request)
    async with context.reader.connect() as connection:
        ground = await ground_of(connection, currency, "mutual")
        parties = [await member_by_id(connection, it) for it in (buyer, seller)]
    problems: dict[str, str] = {}
    minor = 0
    try:
        minor = parse_amount(amount, ground.currency.unit)
    except AmountNotUnderstood:
        minor = 0
    if not minor:
        problems["amount"] = texts.gettext("Write an amount such as 12,50.")
    if buyer == seller:
        problems["seller"] = texts.gettext("Choose two members.")
    if not reason.strip():
        problems["reason"] = texts.gettext("Say what it was for: others will read it.")
    if not problems:
        try:
            await trades.trade(
                context.engine,
                ledger_of(request),
                ground,
                parties[0],
                parties[1],
                minor,
                id,
                actor=session.principal.actor,
                reason=reason.strip(),
            )
        except DomainError as error:
            said = _refused(error, texts)
            if said is None:
                raise
            problems["amount"] = said
        else:
            return RedirectResponse(f"{HERE}?done={id}", 303)
    typed = {"amount": amount, "reason": reason, "buyer": str(buyer), "seller": str(seller), "currency": currency}
    return await _page(request, session, problems=problems, typed=typed)


@router.get(f"{HERE}/{{member}}")
async def member_page(request: Request, session: SignedIn, member: UUID) -> Response:
    ledger = ledger_of(request)
    async with context_of(request).reader.connect() as connection:
        who, network = await member_by_id(connection, member), await the_network(connection)
        known = await currencies(connection)
        names = {it.card.uid: it.name for it in await members(connection)}
        paid = await memberships.register(connection, member)
        plans = await memberships.plans(connection)
    held = (await books.held_by(ledger, [who], known.values()))[who.id]
    accounts = [
        (known[code], of, await books.statement(ledger, who, known[code], limit=ENTRIES_SHOWN))
        for code, of in held.items()
    ]
    return render_admin(
        request,
        session,
        "mutual/member.html",
        place=HERE,
        network_name=network.name,
        zone=network.settings.zone,
        who=who,
        accounts=accounts,
        owed=(await books.receivables(ledger, [who])).get(who.id, 0),
        names=names,
        paid=paid,
        plans=plans,
        role_names=_in_words(ROLE_NAMES, request),
        kind_names=_in_words(KIND_NAMES, request),
    )


def _refused(error: DomainError, texts: Texts) -> str | None:
    said = {
        "insufficient-funds": texts.gettext("This is beyond the buyer’s credit limit. Nothing was booked."),
        "spending-limit": texts.gettext("The policy lets nobody pay that much in this time. Nothing was booked."),
        "over-ceiling": texts.gettext("The seller may not hold that much. Nothing was booked."),
        "card-blocked": texts.gettext("The card of one of them is blocked. Nothing was booked."),
    }
    return said.get(error.code)


def _in_words(names: Any, request: Request) -> dict[str, str]:
    texts = texts_of(request)
    return {key: texts.gettext(name) for key, name in names.items()}


async def _page(
    request: Request,
    session: SignedIn,
    *,
    done: UUID | None = None,
    problems: dict[str, str] | None = None,
    typed: dict[str, str] | None = None,
    roles: tuple[Role, ...] = (),
) -> Response:
    ledger, texts = ledger_of(request), texts_of(request)
    async with context_of(request).reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
        everybody = await members(connection)
    traded = [it for it in known.values() if it.kind == "mutual"]
    booked = None if done is None else (await ledger.booked([done])).get(done)
    held = await books.held_by(ledger, everybody, known.values())
    return render_admin(
        request,
        session,
        "mutual/members.html",
        place=HERE,
        status_code=422 if problems else 200,
        network_name=network.name,
        rows=[(it, held[it.id]) for it in everybody],
        owed=await books.receivables(ledger, everybody),
        traded=traded,
        heads=[(it.names[texts.language], "num") for it in traded],
        options=[(it.code, it.names[texts.language]) for it in traded],
        people=[(it.id, it.name) for it in everybody],
        funds=[(it, known[it.currency]) for it in await funds.funds(ledger)],
        booked=booked is not None and booked.kind == trades.TRADE,
        id=uuid7(),
        all_roles=[(it, texts.gettext(ROLE_NAMES[it])) for it in ROLES],
        role_names=_in_words(ROLE_NAMES, request),
        problems=problems or {},
        typed=typed or {},
        chosen=roles,
    )
