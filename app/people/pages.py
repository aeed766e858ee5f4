"""Who works here? Inviting people, granting them roles at venues and taking these back."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.cards.service import cards_by_uid, cards_described
from app.identity import granting, invitations, second_factor, service, store
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.roles import NETWORK_WIDE, Grant, Principal, Role
from app.identity.staff_rights import AT_TERMINALS
from app.people.devices import device
from app.people.words import ABOUT, ROLES, in_order, said
from app.platform.context import context_of
from app.platform.errors import Conflict, Invalid, NotFound
from app.venues.service import the_network, venues
from app.web import N_, texts_of

router = APIRouter(include_in_schema=False)

HERE = "/admin/people"

_AT_ONE = N_("At which venue? This role is held at one.")
_TAKEN = N_("Somebody has this login already: their page, or a network admin, gives them another role.")
_NO_CARD = N_("No card matches this. Check what is printed on it.")
_SEVERAL = N_("Several cards are called this: write the card’s number.")
_CARD_TAKEN = N_("This is somebody else’s staff card already, at another venue: choose another.")
_CARD_OF = N_("This is the staff card of %(name)s already: take it away there first, or choose another.")
WRONG = {
    "venue": _AT_ONE,
    "login": N_("A login has 2 to 64 letters without accents, digits or . _ @ + - and begins with one."),
    "name": N_("A name has 1 to 80 characters."),
}

Typed = Annotated[str, Form(max_length=200)]
AtVenue = Annotated[str, Form(max_length=40)]


@router.get(HERE)
async def people_page(request: Request, caller: Caller, session: SignedIn) -> Response:
    return await _people(request, caller, session)


@router.post(HERE)
async def invite_from_page(
    request: Request,
    caller: Caller,
    session: SignedIn,
    role: Annotated[Role, Form()],
    name: Typed = "",
    login: Typed = "",
    venue: AtVenue = "",
) -> Response:
    texts, typed = texts_of(request), {"name": name, "login": login, "role": role.value, "venue": venue}
    problems = {}
    try:
        async with context_of(request).engine.begin() as connection:
            link = await invitations.invite(connection, caller, login, name, _grant(role, venue))
    except Invalid as error:
        if error.extra.get("field") not in WRONG:
            raise
        problems[str(error.extra["field"])] = texts.gettext(WRONG[str(error.extra["field"])])
    except Conflict as error:
        if error.code != "login-taken":
            raise
        problems["login"] = texts.gettext(_TAKEN)
    if problems:
        return await _people(request, caller, session, typed=typed, problems=problems)
    # The link is told this once: not in an address that a browser would remember.
    return await _person(request, caller, session, link.person, link=link)


@router.get(HERE + "/{person}")
async def person_page(request: Request, caller: Caller, session: SignedIn, person: UUID) -> Response:
    return await _person(request, caller, session, person)


@router.post(HERE + "/{person}/grants")
async def grant_from_page(
    request: Request,
    caller: Caller,
    session: SignedIn,
    person: UUID,
    role: Annotated[Role, Form()],
    venue: AtVenue = "",
) -> Response:
    try:
        new = _grant(role, venue)
    except Invalid:
        problem = texts_of(request).gettext(_AT_ONE)
        return await _person(request, caller, session, person, chosen=role.value, problem=problem)
    async with context_of(request).engine.begin() as connection:
        await _seen(connection, caller, person)
        await granting.grant(connection, caller, person, new)
    return RedirectResponse(f"{HERE}/{person}", 303)


@router.post(HERE + "/{person}/withdraw")
async def withdraw_from_page(
    request: Request, caller: Caller, person: UUID, role: Annotated[Role, Form()], venue: AtVenue = ""
) -> Response:
    async with context_of(request).engine.begin() as connection:
        await granting.withdraw(connection, caller, person, _grant(role, venue))
    return RedirectResponse(f"{HERE}/{person}", 303)


@router.post(HERE + "/{person}/card")
async def card_from_page(
    request: Request,
    caller: Caller,
    session: SignedIn,
    person: UUID,
    card: Annotated[str, Form(max_length=300)] = "",
    take: Annotated[Literal["", "yes"], Form()] = "",
) -> Response:
    """The staff card, by what is printed on it, its number or its code; or taking it away."""
    texts, problem, uid = texts_of(request), "", None
    if not take:
        async with context_of(request).reader.connect() as connection:
            found = await cards_described(connection, card) if card.strip() else []
        if len(found) == 1:
            uid = found[0].uid
        else:
            problem = texts.gettext(_SEVERAL if found else _NO_CARD)
    if not problem:
        try:
            async with context_of(request).engine.begin() as connection:
                await _seen(connection, caller, person)
                await granting.set_card(connection, caller, person, uid)
        except Conflict as error:
            if error.code != "card-exists":
                raise
            problem = await _taken(request, caller, uid or "")
    if problem:
        return await _person(request, caller, session, person, card_typed=card, card_problem=problem)
    return RedirectResponse(f"{HERE}/{person}", 303)


@router.post(HERE + "/{person}/{act}")
async def change_person_from_page(
    request: Request,
    caller: Caller,
    session: SignedIn,
    person: UUID,
    act: Literal["link", "sessions", "leave", "return", "reset"],
) -> Response:
    """A new link to choose a password, an end to all sessions, or leaving and coming back."""
    link = None
    async with context_of(request).engine.begin() as connection:
        if act == "link":
            link = await invitations.new_link(connection, caller, person)
        elif act == "sessions":
            await granting.end_sessions(connection, caller, person)
        elif act == "reset":
            await second_factor.reset(connection, caller, person)
        elif act == "leave":
            await granting.let_go(connection, caller, person)
        else:
            await granting.take_back(connection, caller, person)
    if link is not None:
        return await _person(request, caller, session, person, link=link)
    return RedirectResponse(f"{HERE}/{person}", 303)


def _grant(role: Role, venue: str) -> Grant:
    """A role in the network whatever venue was chosen; raises Invalid("field": "venue") where one is missing."""
    if role in NETWORK_WIDE:
        return Grant(role)
    try:
        return Grant(role, UUID(venue))
    except ValueError as error:
        raise Invalid(_AT_ONE, field="venue") from error


def _reach(caller: Principal, grants: frozenset[Grant]) -> bool:
    """People of one's own venues; whoever sees the network sees all."""
    return caller.sees_network or any(it.venue in caller.venues for it in grants)


async def _seen(connection: Any, caller: Principal, person: UUID) -> tuple[Any, frozenset[Grant]]:
    row, grants = await store.person_by_id(connection, person), await store.grants_held(connection, person)
    if row is None or not _reach(caller, grants):
        raise NotFound("There is no such person, or not for you.")
    return row, grants


async def _taken(request: Request, caller: Principal, card: str) -> str:
    """Whose card it is is told to who may see them."""
    texts = texts_of(request)
    async with context_of(request).reader.connect() as connection:
        row = await store.person_by_card(connection, card)
        if row is not None and _reach(caller, await store.grants_held(connection, row.id)):
            return texts.gettext(_CARD_OF, name=row.name)
    return texts.gettext(_CARD_TAKEN)


async def _people(
    request: Request,
    caller: Principal,
    session: SignedIn,
    *,
    typed: dict[str, str] | None = None,
    problems: dict[str, str] | None = None,
) -> Response:
    texts = texts_of(request)
    async with context_of(request).reader.connect() as connection:
        network, at = await the_network(connection), await venues(connection)
        rows: dict[UUID, list[Any]] = {}
        for row in await store.everybody(connection):
            rows.setdefault(row.id, []).append(row)
    names = {it.id: it.name for it in at.values()}
    shown = [(of[0], store.grants_of(of)) for of in rows.values()]
    return render_admin(
        request,
        session,
        "people/people.html",
        place=HERE,
        status_code=422 if problems else 200,
        network_name=network.name,
        here=HERE,
        people=[
            (row, [said(it, names, texts) for it in in_order(grants)])
            for row, grants in shown
            if _reach(caller, grants)
        ],
        **_choices(caller, names, request),
        typed=typed or {},
        problems=problems or {},
    )


async def _person(
    request: Request,
    caller: Principal,
    session: SignedIn,
    person: UUID,
    *,
    link: invitations.Link | None = None,
    chosen: str = "",
    problem: str = "",
    card_typed: str = "",
    card_problem: str = "",
) -> Response:
    context, texts = context_of(request), texts_of(request)
    async with context.reader.connect() as connection:
        network, at = await the_network(connection), await venues(connection)
        row, grants = await _seen(connection, caller, person)
        card = (await cards_by_uid(connection, [row.card_uid])).get(row.card_uid) if row.card_uid else None
        factor = await second_factor.of_person(connection, person)
    names = {it.id: it.name for it in at.values()}
    manages = granting.may_manage(caller, grants)
    open_ = await service.list_sessions(context, person) if manages else []
    return render_admin(
        request,
        session,
        "people/person.html",
        place=HERE,
        status_code=422 if problem or card_problem else 200,
        # A page with a link on it is nobody's to keep.
        headers={"Cache-Control": "no-store"} if link else None,
        network_name=network.name,
        zone=network.settings.zone,
        here=f"{HERE}/{person}",
        who=row,
        factor=factor,
        grants=[(it, said(it, names, texts), granting.may_grant(caller, it)) for it in in_order(grants)],
        link=None if link is None else f"{context.settings.base_url.rstrip('/')}/welcome/{link.token}",
        expires_at_us=None if link is None else link.expires_at_us,
        card=card,
        at_terminals=any(it.role in AT_TERMINALS for it in grants),
        manages=manages,
        sessions=[(it, device(it.user_agent, texts)) for it in open_],
        **_choices(caller, names, request),
        chosen=chosen,
        problem=problem,
        card_typed=card_typed,
        card_problem=card_problem,
    )


def _choices(caller: Principal, names: dict[UUID, str], request: Request) -> dict[str, Any]:
    """The roles and venues that they may grant."""
    texts = texts_of(request)
    at = [(id_, name) for id_, name in names.items() if granting.may_grant(caller, Grant(Role.CASHIER, id_))]
    places = [None, *(id_ for id_, _ in at)]
    mine = [
        role
        for role in ROLES
        if any(granting.may_grant(caller, Grant(role, it)) for it in places if (it is None) == (role in NETWORK_WIDE))
    ]
    return {
        "roles": [(it.value, texts.gettext(ROLES[it]), texts.gettext(ABOUT[it])) for it in mine],
        "at": [(str(id_), name) for id_, name in at],
    }
