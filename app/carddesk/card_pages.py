"""One card: what it opens, how it stands, what was done to it; and the acts themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Form, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import RedirectResponse, Response

from app.carddesk.pages import HERE
from app.carddesk.words import STATES
from app.cards import lifecycle, service
from app.cards.rules import read_uid
from app.currencies.service import currencies
from app.identity import audit_log, store
from app.identity.admin_frame import render_admin
from app.identity.audit_log import Wanted
from app.identity.guard import Caller, SignedIn
from app.identity.rights import allows
from app.keyring.service import chip_of
from app.ledger.service import ledger_of
from app.people.audit_details import Reader, told, who
from app.people.audit_words import ACTS
from app.platform.context import context_of
from app.platform.errors import Conflict, DomainError, Forbidden, Invalid
from app.venues.service import the_network, venues
from app.web import N_, texts_of

router = APIRouter(include_in_schema=False)

ACTS_SHOWN: Final = 50
LABEL_MAX: Final = 40
ONE: Final = f"{HERE}/{{card}}"

_NO_REASON = N_("Say why: whoever meets this card later wants to know.")
_ENDED = N_("That card was replaced or retired: take another one.")
_BLOCKED = N_("That card is blocked: take another one, or lift its block first.")
_IN_USE = N_("That card was used already, for a wallet of its own: take one that nobody has used.")
_ITSELF = N_("This is the same card: take another one.")
_SEVERAL = N_("Several cards are called this: write the card’s number.")
_UNKNOWN = N_("No card matches this. For one that is not known yet, write the chip’s number: 8, 14 or 20 digits.")
_NO_LABEL = N_("This card is not known yet: say what is printed on it.")

Act = Callable[[AsyncConnection], Awaitable[None]]
Reason = Annotated[str, Form(max_length=lifecycle.REASON_MAX)]
Other = Annotated[str, Form(max_length=300)]
Label = Annotated[str, Form(max_length=LABEL_MAX)]


class Refused(Exception):
    """Why a form was refused: `field` of it, and the words."""

    def __init__(self, field: str, said: str) -> None:
        super().__init__(said)
        self.field, self.said = field, said


@router.get(ONE)
async def card_page(request: Request, session: SignedIn, card: UUID) -> Response:
    return await _page(request, session, card)


@router.post(f"{ONE}/block")
async def block_card_from_page(
    request: Request, caller: Caller, session: SignedIn, card: UUID, reason: Reason = ""
) -> Response:
    return await _done(request, session, card, "block", reason, _setting(caller.actor, card, True, reason))


@router.post(f"{ONE}/unblock")
async def unblock_card_from_page(
    request: Request, caller: Caller, session: SignedIn, card: UUID, reason: Reason = ""
) -> Response:
    return await _done(request, session, card, "unblock", reason, _setting(caller.actor, card, False, reason))


@router.post(f"{ONE}/retire")
async def retire_card_from_page(
    request: Request, caller: Caller, session: SignedIn, card: UUID, reason: Reason = ""
) -> Response:
    async def act(connection: AsyncConnection) -> None:
        _require(reason)
        await lifecycle.retire(connection, caller.actor, card, reason.strip())

    return await _done(request, session, card, "retire", reason, act)


@router.post(f"{ONE}/replace")
async def replace_card_from_page(
    request: Request,
    caller: Caller,
    session: SignedIn,
    card: UUID,
    other: Other = "",
    label: Label = "",
    reason: Reason = "",
) -> Response:
    async def act(connection: AsyncConnection) -> None:
        uid = await _other(connection, other)
        _require(reason)
        await lifecycle.replace(connection, caller.actor, card, uid, label, reason.strip())

    return await _done(request, session, card, "replace", reason, act, other, label)


@router.post(f"{ONE}/link")
async def link_card_from_page(
    request: Request, caller: Caller, session: SignedIn, card: UUID, other: Other = "", label: Label = ""
) -> Response:
    async def act(connection: AsyncConnection) -> None:
        await lifecycle.link(connection, caller.actor, card, await _other(connection, other), label)

    return await _done(request, session, card, "link", "", act, other, label)


def _setting(actor: str, card: UUID, blocked: bool, reason: str) -> Act:
    async def act(connection: AsyncConnection) -> None:
        _require(reason)
        await lifecycle.set_blocked(connection, actor, card, blocked, reason.strip())

    return act


async def _done(
    request: Request,
    session: SignedIn,
    card: UUID,
    form: str,
    reason: str,
    act: Act,
    other: str = "",
    label: str = "",
) -> Response:
    """Back to the card's page; where the act is refused for what was typed, the page with it and why."""
    try:
        async with context_of(request).engine.begin() as connection:
            await act(connection)
    except (Refused, Invalid, Conflict, Forbidden) as error:
        refused = error if isinstance(error, Refused) else _refused(error)
        typed = {"other": other, "label": label, "reason": reason}
        problem = (refused.field, texts_of(request).gettext(refused.said))
        return await _page(request, session, card, form=form, typed=typed, problem=problem)
    return RedirectResponse(f"{HERE}/{card}", 303)


def _refused(error: DomainError) -> Refused:
    """What lifecycle says of the other card, at the field that names it. Anything else is no fault of the form."""
    said = {
        ("card-in-use", None): ("other", _IN_USE),
        ("card-ended", None): ("other", _ENDED),
        ("card-blocked", None): ("other", _BLOCKED),
        ("invalid", "uid"): ("other", _ITSELF),
        ("invalid", "label"): ("label", _NO_LABEL),
    }.get((error.code, error.extra.get("field")))
    if said is None:
        raise error
    return Refused(*said)


def _require(reason: str) -> None:
    if not reason.strip():
        raise Refused("reason", _NO_REASON)


async def _other(connection: AsyncConnection, typed: str) -> str:
    """The number of the card that was named: by what is printed on it, its number or its code."""
    found = await service.cards_described(connection, typed) if typed.strip() else []
    if len(found) == 1:
        return found[0].uid
    uid = read_uid(typed)
    if uid is None:
        raise Refused("other", _SEVERAL if found else _UNKNOWN)
    return uid


async def _page(
    request: Request,
    session: SignedIn,
    card_id: UUID,
    *,
    form: str = "",
    typed: dict[str, str] | None = None,
    problem: tuple[str, str] | None = None,
) -> Response:
    async with context_of(request).reader.connect() as connection:
        card, network = await service.card_by_id(connection, card_id), await the_network(connection)
        of_wallet = await service.cards_of_wallet(connection, card.wallet)
        ends = await lifecycle.ends_of(connection, [it.id for it in of_wallet])
        known, chip = await currencies(connection), await chip_of(connection, card_id)
        # Whatever names the card by its id, as a person's acts are found.
        acts = await audit_log.entries(connection, Wanted(person=card_id, kind="changed"), None, ACTS_SHOWN)
        people = {row.id: row.name for row in await store.everybody(connection)}
        at = {it.id: it.name for it in (await venues(connection)).values()}
    held: list[Any] = []
    if allows(session.principal, "show_balances"):
        balances = await service.balances(ledger_of(request), card.owner, known)
        held = [(it, balances[code]) for code, it in known.items()]
    to = Reader(texts_of(request), network.settings.zone, people, at)
    states = {it.id: ends[it.id].outcome if it.id in ends else it.status for it in of_wallet}
    return render_admin(
        request,
        session,
        "carddesk/card.html",
        place=HERE,
        status_code=422 if problem else 200,
        network_name=network.name,
        zone=network.settings.zone,
        here=HERE,
        card=card,
        end=ends.get(card.id),
        states=STATES,
        state=states[card.id],
        others=[(it, states[it.id]) for it in of_wallet if it.id != card.id],
        chip=chip,
        held=held,
        acts=[(it, who(it.actor, to), told(it.details, to)) for it in acts],
        words=ACTS,
        form=form,
        typed=typed or {},
        problem={problem[0]: problem[1]} if problem else {},
    )
