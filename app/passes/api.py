"""Passes and subscriptions of venues, for programs."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from app.events.service import events
from app.identity.guard import Caller
from app.passes.plans import end, make, plan_named, plans
from app.passes.rules import AMOUNT_MAX, DATES_MAX, NAME_MAX, QUOTA_MAX, Date, Kind, Plan
from app.platform.clock import now_us
from app.platform.context import context_of
from app.wire.base import CurrencyCode

router = APIRouter(prefix="/api/v1/passes", tags=["events"])

Responses = dict[int | str, dict[str, Any]]
_NONE: Final[Responses] = {404: {"description": "not-found: there is no such pass"}}


class PassNames(BaseModel):
    """`en` may be empty: the French one stands for it."""

    model_config = ConfigDict(extra="forbid")

    fr: Annotated[str, Field(min_length=1, max_length=NAME_MAX, pattern=r"^[^\r\n]*\S[^\r\n]*$")]
    en: Annotated[str, Field(max_length=NAME_MAX, pattern=r"^[^\r\n]*$")] = ""


class DateBody(BaseModel):
    """`price`: one of the event's, at which the place counts. `weight`: what of the whole is this date's, beside the
    others."""

    model_config = ConfigDict(extra="forbid")

    event: UUID
    price: UUID
    weight: Annotated[int, Field(gt=0, le=AMOUNT_MAX, strict=True)] = 1


class PassPlanBody(BaseModel):
    """`venue`: who sells it. `amount`: minor units of `currency`. `places`: of a subscription, how many of its dates
    are chosen; of a pass, all of them. `quota`: how many are sold at most; null: as many as its dates have places."""

    model_config = ConfigDict(extra="forbid")

    venue: UUID
    kind: Kind
    names: PassNames
    currency: CurrencyCode
    amount: Annotated[int, Field(gt=0, le=AMOUNT_MAX, strict=True)]
    places: Annotated[int, Field(gt=0, le=DATES_MAX, strict=True)]
    quota: Annotated[int, Field(gt=0, le=QUOTA_MAX, strict=True)] | None = None
    sale_until_us: Annotated[int, Field(ge=0, lt=2**52, strict=True)] | None = None
    dates: Annotated[list[DateBody], Field(min_length=2, max_length=DATES_MAX)]

    def plan(self, id_: UUID) -> Plan:
        dates = sorted((Date(it.event, it.price, it.weight) for it in self.dates), key=lambda it: it.event)
        return Plan(
            id_,
            self.venue,
            self.kind,
            self.names.fr.strip(),
            self.names.en.strip(),
            self.currency,
            self.amount,
            self.places,
            self.quota,
            self.sale_until_us,
            dates=tuple(dates),
        )


class PassPlanShown(PassPlanBody):
    """`held`: in baskets; `sold`: paid."""

    id: UUID
    held: int
    sold: int
    on_sale: bool


@router.get("", summary="Passes and subscriptions of the venues that one sees")
async def list_passes(request: Request, caller: Caller) -> list[PassPlanShown]:
    """The newest first, also those that are no longer sold."""
    async with context_of(request).reader.connect() as connection:
        return [_shown(it) for it in (await plans(connection)).values() if caller.may_see_venue(it.venue)]


@router.put("/{plan}", summary="Put a pass on sale")
async def put_pass(request: Request, caller: Caller, plan: UUID, body: PassPlanBody) -> PassPlanShown:
    """Under an id that the caller makes. What is on sale stays as it is. The caller runs all of its venues."""
    new = body.plan(plan)
    async with context_of(request).engine.begin() as connection:
        at = await events(connection, ids=[it.event for it in new.dates])
        for venue in {new.venue, *(it.venue for it in at.values())}:
            caller.require_venue(venue)
        await make(connection, caller.actor, new)
        return _shown(await plan_named(connection, plan))


@router.post("/{plan}/end", summary="Stop selling a pass", responses=_NONE)
async def end_pass_sale(request: Request, caller: Caller, plan: UUID) -> PassPlanShown:
    """Whoever has one keeps it."""
    async with context_of(request).engine.begin() as connection:
        caller.require_venue((await plan_named(connection, plan)).venue)
        await end(connection, caller.actor, plan)
        return _shown(await plan_named(connection, plan))


def _shown(it: Plan) -> PassPlanShown:
    return PassPlanShown(
        id=it.id,
        venue=it.venue,
        kind=it.kind,
        names=PassNames(fr=it.name_fr, en=it.name_en),
        currency=it.currency,
        amount=it.amount,
        places=it.places,
        quota=it.quota,
        sale_until_us=it.sale_until_us,
        dates=[DateBody(event=date.event, price=date.price, weight=date.weight) for date in it.dates],
        held=it.held,
        sold=it.sold,
        on_sale=it.on_sale(now_us()),
    )
