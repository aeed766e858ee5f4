"""An event's terminals, cut-off and days of refunds, for programs."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from app.eventclosing.rules import Closing, Delivered, Window, delivered
from app.eventclosing.service import closing_of, set_closing, set_terminals, terminals_of
from app.events.service import event_named
from app.identity.guard import Caller
from app.platform.context import context_of

router = APIRouter(prefix="/api/v1/events", tags=["events"])


class Days(BaseModel):
    """The first and the last day, in the network's zone."""

    model_config = ConfigDict(extra="forbid")

    opens: date
    closes: date


class ClosingBody(BaseModel):
    """`cut_off_us`: what was booked by then is settled as this event's. `refund`: days on which holders may ask for
    what is left on their cards, beside those of the rules."""

    model_config = ConfigDict(extra="forbid")

    cut_off_us: Annotated[int | None, Field(ge=0, le=2**53, strict=True)] = None
    refund: Days | None = None


class TerminalInUse(BaseModel):
    """`waiting`: rows it had still to send when it was last heard of. `delivered`: as of the cut-off, or of the event's
    end where there is none."""

    id: UUID
    name: str
    seen_at_us: int
    waiting: int
    delivered: Delivered


class ClosingShown(ClosingBody):
    terminals: list[TerminalInUse]


class TerminalsBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    terminals: Annotated[list[UUID], Field(max_length=500)]


@router.get("/{event}/closing", summary="An event's terminals, cut-off and days of refunds")
async def show_event_closing(request: Request, caller: Caller, event: UUID) -> ClosingShown:
    async with context_of(request).reader.connect() as connection:
        at = await event_named(connection, event)
        caller.require_venue(at.venue)
        found, tills = await closing_of(connection, event), await terminals_of(connection, at)
    due = at.ends_at_us if found.cut_off_us is None else found.cut_off_us
    return ClosingShown(
        cut_off_us=found.cut_off_us,
        refund=None if found.refund is None else Days(opens=found.refund.opens, closes=found.refund.closes),
        terminals=[
            TerminalInUse(
                id=it.id,
                name=it.name,
                seen_at_us=it.seen_at_us,
                waiting=it.waiting,
                delivered=delivered(it.seen_at_us, it.waiting, due),
            )
            for it in tills
            if it.chosen
        ],
    )


@router.put("/{event}/closing", status_code=204, summary="Say an event's cut-off and its days of refunds")
async def put_event_closing(request: Request, caller: Caller, event: UUID, body: ClosingBody) -> None:
    """As a whole: what is left out no longer holds."""
    now = Closing(body.cut_off_us, None if body.refund is None else Window(body.refund.opens, body.refund.closes))
    async with context_of(request).engine.begin() as connection:
        await set_closing(connection, caller.actor, await event_named(connection, event), now)


@router.put(
    "/{event}/terminals",
    status_code=204,
    summary="Say which terminals are in use at an event",
    responses={404: {"description": "not-found: no such event, or one is no till of its venue"}},
)
async def put_event_terminals(request: Request, caller: Caller, event: UUID, body: TerminalsBody) -> None:
    """These and no others."""
    async with context_of(request).engine.begin() as connection:
        at = await event_named(connection, event)
        caller.require_venue(at.venue)
        await set_terminals(connection, caller.actor, at, body.terminals)
