"""Events of venues, for programs."""

from __future__ import annotations

from typing import Annotated, Any, Final, Self
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.ext.asyncio import AsyncConnection

from app.artists.service import artists
from app.events import service
from app.events.rules import (
    AMOUNT_MAX,
    CAPACITY_MAX,
    NAME_MAX,
    SUMMARY_MAX,
    TITLE_MAX,
    Channel,
    Condition,
    Event,
    Price,
    Standing,
)
from app.identity.guard import Caller
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Forbidden, Invalid, NotFound
from app.venues.service import venue_named
from app.wire.base import CurrencyCode

router = APIRouter(prefix="/api/v1/events", tags=["events"])

Responses = dict[int | str, dict[str, Any]]
_NONE: Final[Responses] = {404: {"description": "not-found: there is no such event"}}
_REFUSED: Final[Responses] = {409: {"description": "conflict, capacity-taken (with `taken`)"}}

Title = Annotated[str, Field(max_length=TITLE_MAX, pattern=r"^[^\r\n]*$")]
Instant = Annotated[int, Field(ge=0, lt=2**52, strict=True)]
Places = Annotated[int, Field(ge=0, le=CAPACITY_MAX, strict=True)]


class Titles(BaseModel):
    """`en` may be empty: the French one stands for it."""

    model_config = ConfigDict(extra="forbid")

    fr: Annotated[str, Field(min_length=1, max_length=TITLE_MAX, pattern=r"^[^\r\n]*\S[^\r\n]*$")]
    en: Title = ""


class Summaries(BaseModel):
    model_config = ConfigDict(extra="forbid")

    fr: Annotated[str, Field(max_length=SUMMARY_MAX)] = ""
    en: Annotated[str, Field(max_length=SUMMARY_MAX)] = ""


class EventBody(BaseModel):
    """`capacity`: places in all. `artists`: ids, in the order in which they are announced. `series`: what recurring
    dates have in common. `refund_until_us`: until when holders give tickets back; null: never. `refund_fee`: basis
    points of the price that are kept then."""

    model_config = ConfigDict(extra="forbid")

    venue: UUID
    titles: Titles
    summaries: Summaries = Summaries()
    doors_at_us: Instant
    starts_at_us: Instant
    ends_at_us: Instant
    capacity: Places
    series: UUID | None = None
    refund_until_us: Instant | None = None
    refund_fee: Annotated[int, Field(ge=0, le=10_000, strict=True)] = 0
    artists: Annotated[list[UUID], Field(max_length=50)] = []

    @model_validator(mode="after")
    def _in_turn(self) -> Self:
        if not self.doors_at_us <= self.starts_at_us < self.ends_at_us:
            raise ValueError("doors open before it starts, and it ends after")
        return self

    def event(self, id_: UUID) -> Event:
        return Event(
            id_,
            self.venue,
            self.titles.fr.strip(),
            self.titles.en.strip(),
            self.summaries.fr,
            self.summaries.en,
            self.doors_at_us,
            self.starts_at_us,
            self.ends_at_us,
            self.capacity,
            self.series,
            artists=tuple(self.artists),
            refund_until_us=self.refund_until_us,
            refund_fee=self.refund_fee,
        )


class PriceNames(BaseModel):
    model_config = ConfigDict(extra="forbid")

    fr: Annotated[str, Field(min_length=1, max_length=NAME_MAX, pattern=r"^[^\r\n]*\S[^\r\n]*$")]
    en: Annotated[str, Field(max_length=NAME_MAX, pattern=r"^[^\r\n]*$")] = ""


class PriceBody(BaseModel):
    """`amount`: minor units of `currency`; 0 is free. `quota`: places at this price at most; null: as many as the event
    has. `vat`: the rate that the price holds, in basis points. `channel`: where it is sold. `least`: how much was given
    within a year, minutes of volunteering where the condition is `hours`, minor units where it is `gift`; null: any.
    `per_wallet`: places at most for one wallet."""

    model_config = ConfigDict(extra="forbid")

    names: PriceNames
    currency: CurrencyCode
    amount: Annotated[int, Field(ge=0, le=AMOUNT_MAX, strict=True)]
    quota: Places | None = None
    condition: Condition = "none"
    sale_from_us: Instant | None = None
    sale_until_us: Instant | None = None
    vat: Annotated[int, Field(ge=0, le=10_000, strict=True)] = 0
    channel: Channel = "any"
    least: Annotated[int, Field(gt=0, le=AMOUNT_MAX, strict=True)] | None = None
    per_wallet: Annotated[int, Field(gt=0, le=CAPACITY_MAX, strict=True)] | None = None

    @model_validator(mode="after")
    def _in_turn(self) -> Self:
        if self.least is not None and self.condition not in {"hours", "gift"}:
            raise ValueError("only the conditions hours and gift ask for so much")
        since, until = self.sale_from_us, self.sale_until_us
        if since is not None and until is not None and since >= until:
            raise ValueError("a sale begins before it ends")
        return self

    def price(self, id_: UUID) -> Price:
        return Price(
            id_,
            self.names.fr.strip(),
            self.names.en.strip(),
            self.currency,
            self.amount,
            self.quota,
            self.condition,
            self.sale_from_us,
            self.sale_until_us,
            self.vat,
            self.channel,
            least=self.least,
            per_wallet=self.per_wallet,
        )


class PriceShown(PriceBody):
    """`held`: places in baskets; `sold`: with a ticket; `leased`: lent to terminals."""

    id: UUID
    held: int
    sold: int
    leased: int


class EventShown(EventBody):
    """`standing`: how it is now. `held`, `sold`, `leased`: places taken, as in prices."""

    id: UUID
    slug: str
    standing: Standing
    held: int
    sold: int
    leased: int
    prices: list[PriceShown]


@router.get("", summary="Events of the venues that one sees")
async def list_events(request: Request, caller: Caller, since_us: int = 0) -> list[EventShown]:
    """The earliest first, drafts included; `since_us`: those that end later."""
    async with context_of(request).reader.connect() as connection:
        found = await service.events(connection, ends_after_us=since_us)
        return [_shown(it) for it in found.values() if caller.may_see_venue(it.venue)]


@router.get("/{event}", summary="One event", responses=_NONE)
async def show_event(request: Request, caller: Caller, event: UUID) -> EventShown:
    async with context_of(request).reader.connect() as connection:
        found = await service.event_named(connection, event)
    if not caller.may_see_venue(found.venue):
        raise Forbidden("Your rights do not reach this venue.")
    return _shown(found)


@router.put("/{event}", summary="Draft an event, or change one as a whole", responses=_REFUSED)
async def put_event(request: Request, caller: Caller, event: UUID, body: EventBody) -> EventShown:
    """Under an id that the caller makes: a draft where there was none. Its address, its status and its prices stay."""
    caller.require_venue(body.venue)
    async with context_of(request).engine.begin() as connection:
        await venue_named(connection, body.venue)
        if set(body.artists) - set(await artists(connection, body.artists)):
            raise Invalid("There is no such artist.", field="artists")
        there = await service.events(connection, ids=[event])
        if event in there:
            caller.require_venue(there[event].venue)
        write = service.edit if event in there else service.create
        return _shown(await write(connection, caller.actor, body.event(event)))


@router.post("/{event}/publish", summary="Publish an event", responses=_NONE | _REFUSED)
async def publish_event(request: Request, caller: Caller, event: UUID) -> EventShown:
    """Everybody sees it, and its prices are sold in their time."""
    async with context_of(request).engine.begin() as connection:
        await _own(connection, caller, event)
        await service.publish(connection, caller.actor, event)
        return _shown(await service.event_named(connection, event))


@router.post("/{event}/cancel", summary="Cancel an event", responses=_NONE)
async def cancel_event(request: Request, caller: Caller, event: UUID) -> EventShown:
    """Nothing more is sold. What was paid goes back in a run of its own."""
    async with context_of(request).engine.begin() as connection:
        await _own(connection, caller, event)
        await service.cancel(connection, caller.actor, event)
        return _shown(await service.event_named(connection, event))


@router.put("/{event}/prices/{price}", summary="Set a price of an event", responses=_NONE | _REFUSED)
async def put_event_price(request: Request, caller: Caller, event: UUID, price: UUID, body: PriceBody) -> EventShown:
    """Under an id that the caller makes. What was ordered before keeps what it cost."""
    async with context_of(request).engine.begin() as connection:
        await _own(connection, caller, event)
        await service.set_price(connection, caller.actor, event, body.price(price))
        return _shown(await service.event_named(connection, event))


@router.delete("/{event}/prices/{price}", status_code=204, summary="Take a price away", responses=_NONE | _REFUSED)
async def remove_event_price(request: Request, caller: Caller, event: UUID, price: UUID) -> None:
    """Where nobody ever ordered at it."""
    async with context_of(request).engine.begin() as connection:
        await _own(connection, caller, event)
        await service.remove_price(connection, caller.actor, event, price)


async def _own(connection: AsyncConnection, caller: Caller, id_: UUID) -> Event:
    found = await service.event_named(connection, id_)
    if not caller.may_see_venue(found.venue):
        raise NotFound("There is no such event.")
    caller.require_venue(found.venue)
    return found


def _shown(it: Event) -> EventShown:
    return EventShown(
        venue=it.venue,
        titles=Titles(fr=it.title_fr, en=it.title_en),
        summaries=Summaries(fr=it.summary_fr, en=it.summary_en),
        doors_at_us=it.doors_at_us,
        starts_at_us=it.starts_at_us,
        ends_at_us=it.ends_at_us,
        capacity=it.capacity,
        series=it.series,
        refund_until_us=it.refund_until_us,
        refund_fee=it.refund_fee,
        artists=list(it.artists),
        id=it.id,
        slug=it.slug,
        standing=it.standing(now_us()),
        held=it.held,
        sold=it.sold,
        leased=it.leased,
        prices=[
            PriceShown(
                id=price.id,
                names=PriceNames(fr=price.name_fr, en=price.name_en),
                currency=price.currency,
                amount=price.amount,
                quota=price.quota,
                condition=price.condition,
                sale_from_us=price.sale_from_us,
                sale_until_us=price.sale_until_us,
                vat=price.vat,
                channel=price.channel,
                least=price.least,
                per_wallet=price.per_wallet,
                held=price.held,
                sold=price.sold,
                leased=price.leased,
            )
            for price in it.prices
        ],
    )
