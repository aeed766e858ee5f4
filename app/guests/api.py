"""The waiting list and the invitations of an event, for the programs of its venue."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from app.cards.service import card_by_id
from app.events.rules import Event, OrderState
from app.events.service import event_named
from app.guests import invitations, waiting
from app.guests.invitations import NAME_MAX
from app.guests.letters import INVITED, token_of
from app.guests.rules import State
from app.identity.guard import Caller
from app.identity.roles import Principal
from app.platform.context import context_of
from app.platform.errors import Forbidden, NotFound

router = APIRouter(prefix="/api/v1/events", tags=["events"])


class InLine(BaseModel):
    """Nothing of who it is: the line is served by its turns. `asked_at_us`, `changed_at_us`: microseconds, UTC."""

    turn: int
    price: UUID
    places: int
    state: State
    asked_at_us: int
    changed_at_us: int


class WaitingList(BaseModel):
    """`waiting`: places that are waited for; `offered`: those that are kept for somebody now."""

    waiting: int
    offered: int
    line: list[InLine]


@router.get("/{event}/waiting", responses={404: {"description": "not-found: there is no such event"}})
async def show_waiting_list(request: Request, caller: Caller, event: UUID) -> WaitingList:
    """Who waits and who has an offer, in their turn."""
    async with context_of(request).reader.connect() as connection:
        require_seen(caller, await event_named(connection, event))
        line = await waiting.line_of(connection, event)
    return WaitingList(
        waiting=sum(it.places for it in line if it.state == "waiting"),
        offered=sum(it.places for it in line if it.state == "offered"),
        line=[
            InLine(
                turn=it.turn,
                price=it.price,
                places=it.places,
                state=it.state,
                asked_at_us=it.asked_at_us,
                changed_at_us=it.changed_at_us,
            )
            for it in line
        ],
    )


class GuestBody(BaseModel):
    """`id`: made by whoever asks, so that the same asked twice is one invitation. `card`: theirs, by its id, which has
    the ticket at once; null: they take it by a link."""

    model_config = ConfigDict(extra="forbid")

    id: UUID
    price: UUID
    name: Annotated[str, Field(min_length=1, max_length=NAME_MAX)]
    card: UUID | None = None


class Invited(BaseModel):
    """`link`: what to send to the guest, as long as nobody has taken the place. `state`: of its order."""

    id: UUID
    price: UUID
    name: str | None
    state: OrderState
    link: str | None


_REFUSED: Final[dict[int | str, dict[str, Any]]] = {409: {"description": "sold-out, not-on-sale, order-over"}}


@router.get("/{event}/invitations", summary="Whom the venue invites")
async def list_invitations(request: Request, caller: Caller, event: UUID) -> list[Invited]:
    """By name; for the event's own venue alone."""
    async with context_of(request).reader.connect() as connection:
        require_own(caller, await event_named(connection, event))
        return [_invited(request, it) for it in await invitations.invitations_of(connection, event)]


@router.post("/{event}/invitations", summary="Invite a guest", responses=_REFUSED)
async def invite_guest(request: Request, caller: Caller, event: UUID, body: GuestBody) -> Invited:
    """One place at a price of 0, counted from now on."""
    async with context_of(request).reader.connect() as connection:
        require_own(caller, await event_named(connection, event))
        card = None if body.card is None else await card_by_id(connection, body.card)
    guest = invitations.Guest(body.id, body.price, body.name, card)
    return _invited(request, await invitations.invite(context_of(request).engine, caller.actor, event, guest))


@router.delete("/{event}/invitations/{invitation}", status_code=204, responses=_REFUSED)
async def withdraw_invitation(request: Request, caller: Caller, event: UUID, invitation: UUID) -> None:
    """As long as nobody has taken it."""
    async with context_of(request).reader.connect() as connection:
        require_own(caller, await event_named(connection, event))
        it = await invitations.invitation_named(connection, invitation)
    if it.event != event:
        raise NotFound("There is no such invitation.")
    await invitations.withdraw(context_of(request).engine, caller.actor, it)


def link_of(request: Request, it: invitations.Invitation) -> str:
    context = context_of(request)
    return f"{context.settings.base_url.rstrip('/')}/invitation/{token_of(context.keys.token, it.id, INVITED)}"


def _invited(request: Request, it: invitations.Invitation) -> Invited:
    out = it.address is not None and it.state == "held"
    link = link_of(request, it) if out else None
    return Invited(id=it.id, price=it.price, name=it.name, state=it.state, link=link)


def runs(caller: Principal, at: Event) -> bool:
    """Whether they manage the event's venue itself: its guests are nobody else's to know."""
    return at.venue in caller.venues and caller.may_see_venue(at.venue)


def require_own(caller: Principal, at: Event) -> None:
    if not runs(caller, at):
        raise Forbidden("Only the event's own venue invites its guests.")


def require_seen(caller: Principal, at: Event) -> None:
    if not caller.may_see_venue(at.venue):
        raise Forbidden("This event is another venue's.")
