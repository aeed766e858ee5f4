"""What a membership costs, who paid it, and paying it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from app.identity.guard import Caller
from app.ledger.service import ledger_of
from app.mutual import memberships
from app.mutual.api.shapes import Body, Key, Name, Party, party
from app.mutual.ground import ground_of
from app.mutual.rules import Means
from app.platform.context import context_of
from app.venues.service import the_network, venue_named
from app.wire.base import CurrencyCode, Minor

router = APIRouter(prefix="/api/v1", tags=["mutual"])


class PlanBody(Body):
    """Euro cents: `shares_cents` of `price_cents` buy shares of the cooperative."""

    name_fr: Name
    name_en: Name
    price_cents: Minor
    shares_cents: Annotated[int, Field(ge=0, strict=True)] = 0
    days: Annotated[int, Field(ge=1, le=3660, strict=True)] = 365


class PlanShown(PlanBody):
    code: str


class NewMembership(Body):
    """`means` "online": with `provider` and `reference`; "cash": with `venue`; "card": with a pegged `currency` of the
    network; "transfer": with the bank's `reference`, if there is one."""

    member: Party
    plan: Annotated[str, Field(min_length=1, max_length=40)]
    means: Means
    reference: Annotated[str, Field(max_length=200)] = ""
    provider: Annotated[str, Field(max_length=40)] = ""
    venue: UUID | None = None
    currency: CurrencyCode | None = None


class MembershipShown(BaseModel):
    """Days are written YYYY-MM-DD; both are included."""

    id: UUID
    member: UUID
    plan: str
    price_cents: int
    shares_cents: int
    means: str
    first_day: str
    last_day: str


@router.get("/membership-plans", summary="What a membership costs")
async def list_membership_plans(request: Request) -> list[PlanShown]:
    async with context_of(request).reader.connect() as connection:
        found = await memberships.plans(connection)
    return [_plan(it) for it in found.values()]


@router.put("/membership-plans/{code}", summary="Set what a membership costs from now on")
async def set_membership_plan(request: Request, caller: Caller, code: str, body: PlanBody) -> PlanShown:
    plan = memberships.Plan(code, **body.model_dump())
    async with context_of(request).engine.begin() as connection:
        await memberships.set_plan(connection, plan, caller.actor)
    return _plan(plan)


@router.get("/memberships", summary="The register of memberships, the newest first")
async def list_memberships(request: Request, member: UUID | None = None) -> list[MembershipShown]:
    async with context_of(request).reader.connect() as connection:
        found = await memberships.register(connection, member)
    return [_membership(it) for it in found]


@router.post("/memberships", status_code=201, summary="A member pays their membership")
async def pay_membership(request: Request, caller: Caller, body: NewMembership, key: Key) -> MembershipShown:
    context = context_of(request)
    async with context.reader.connect() as connection:
        network, who = await the_network(connection), await party(connection, body.member)
        plan = await memberships.plan_named(connection, body.plan)
        venue = await venue_named(connection, body.venue) if body.venue is not None else None
        paid_in = (await ground_of(connection, body.currency, "pegged")).currency if body.currency else None
    paid = memberships.Paid(body.means, body.reference, body.provider, venue, paid_in)
    return _membership(
        await memberships.join(context.engine, ledger_of(request), network, who, plan, paid, key, actor=caller.actor)
    )


def _plan(it: memberships.Plan) -> PlanShown:
    return PlanShown(
        code=it.code,
        name_fr=it.name_fr,
        name_en=it.name_en,
        price_cents=it.price_cents,
        shares_cents=it.shares_cents,
        days=it.days,
    )


def _membership(it: memberships.Membership) -> MembershipShown:
    return MembershipShown(
        id=it.id,
        member=it.member,
        plan=it.plan,
        price_cents=it.price_cents,
        shares_cents=it.shares_cents,
        means=it.means,
        first_day=it.first_day.isoformat(),
        last_day=it.last_day.isoformat(),
    )
