"""Tickets at a counter and partners' quotas, for programs of the venues."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from app.cards.service import cards_described
from app.events.orders import order_named
from app.events.rules import CAPACITY_MAX, PLACES_MAX, OrderState
from app.events.service import event_named
from app.identity.guard import Caller
from app.ledger.service import ledger_of
from app.platform.context import context_of
from app.platform.errors import NotFound
from app.ticketcounter import service
from app.ticketcounter.quotas import quotas_of, set_quota
from app.ticketcounter.service import Wish

router = APIRouter(prefix="/api/v1/events", tags=["events"])


class QuotaBody(BaseModel):
    """`places`: at most; 0 takes the quota away, and what is sold stays."""

    model_config = ConfigDict(extra="forbid")

    places: Annotated[int, Field(ge=0, le=CAPACITY_MAX, strict=True)]


class QuotaShown(BaseModel):
    """`sold`: with a ticket that counts, or being sold."""

    price: UUID
    venue: UUID
    places: int
    sold: int


class CounterSale(BaseModel):
    """`id`: made by whoever asks, so that the same sale sent twice is one. `venue`: at whose counter. `card`: its
    label, number or address."""

    model_config = ConfigDict(extra="forbid")

    id: UUID
    venue: UUID
    price: UUID
    places: Annotated[int, Field(ge=1, le=PLACES_MAX, strict=True)]
    card: Annotated[str, Field(min_length=1, max_length=300)]


class CounterSold(BaseModel):
    """`amount`: minor units of `currency`."""

    id: UUID
    state: OrderState
    places: int
    currency: str
    amount: int


@router.get("/{event}/quotas", summary="How many places partners may sell, and have sold")
async def list_quotas(request: Request, caller: Caller, event: UUID) -> list[QuotaShown]:
    """Of a partner's event, one's own alone."""
    async with context_of(request).reader.connect() as connection:
        at = await event_named(connection, event)
        found = await quotas_of(connection, [event])
    whole = caller.may_see_venue(at.venue)
    return [
        QuotaShown(price=it.price, venue=it.venue, places=it.places, sold=it.sold)
        for it in found
        if whole or caller.may_see_venue(it.venue)
    ]


@router.put(
    "/{event}/quotas/{price}/{partner}",
    status_code=204,
    summary="Let a partner venue sell places",
    responses={409: {"description": "quota-sold (with `sold`): the partner has sold more"}},
)
async def put_quota(request: Request, caller: Caller, event: UUID, price: UUID, partner: UUID, body: QuotaBody) -> None:
    """They are not set aside: whoever comes first has a place. The money is the event's venue's, and nothing of it the
    partner's."""
    async with context_of(request).engine.begin() as connection:
        caller.require_venue((await event_named(connection, event)).venue)
        await set_quota(connection, caller.actor, event, price, partner, body.places)


@router.post(
    "/{event}/counter-sales",
    summary="Sell tickets onto a card",
    responses={
        402: {"description": "insufficient-funds, with `missing` in minor units"},
        403: {"description": "card-blocked, price-for-others"},
        409: {"description": "sold-out, quota-full (with `left`), not-on-sale, price-had"},
    },
)
async def sell_at_counter(request: Request, caller: Caller, event: UUID, body: CounterSale) -> CounterSold:
    """Of one's own venue's event, or of a partner's within the quota."""
    caller.require_venue(body.venue)
    async with context_of(request).reader.connect() as connection:
        found = await cards_described(connection, body.card)
    if len(found) != 1:
        raise NotFound("No single card matches this.")
    wish = Wish(body.id, event, body.price, body.places, found[0], body.venue)
    it = await service.sell(ledger_of(request), caller.actor, wish)
    return CounterSold(id=it.id, state=it.state, places=it.places, currency=it.currency, amount=it.amount)


@router.delete("/{event}/counter-sales/{order}", status_code=204, summary="Undo a sale of a counter")
async def undo_at_counter(request: Request, caller: Caller, event: UUID, order: UUID, venue: UUID) -> None:
    """By the venue that sold it, until the event is over and as long as none of its tickets was used, given back or
    handed on. Twice is once."""
    caller.require_venue(venue)
    async with context_of(request).reader.connect() as connection:
        if (await order_named(connection, order)).event != event:
            raise NotFound("There is no such sale.")
    await service.undo(ledger_of(request), caller.actor, order, venue)
