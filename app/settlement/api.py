"""Who owes whom, for programs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from app.currencies.service import currencies
from app.identity.guard import Caller
from app.ledger.service import ledger_of
from app.platform.context import context_of
from app.settlement import service
from app.settlement.periods import Due, Flow, Name, Taken, periods
from app.venues.service import venues

router = APIRouter(prefix="/api/v1", tags=["settlement"])


class PositionShown(BaseModel):
    """As of now. `claims`: minor units by currency. `due_cents`: euro cents of cash taken for the issuer. `net_cents`:
    what the issuer owes the venue (negative: the venue owes)."""

    venue: UUID
    slug: str
    name: str
    claims: dict[str, int]
    due_cents: int
    redeemable_cents: int
    net_cents: int


class FlowShown(BaseModel):
    """Minor units, and how many transfers they are."""

    amount: int
    transfers: int


class DueShown(BaseModel):
    """Euro cents of cash taken for issuers: `opening` + `flows` = `closing`."""

    opening: int
    closing: int
    flows: dict[Name, FlowShown]


class TakenShown(DueShown):
    """One money in its minor units: what the venue has a claim to. `aside`: what was loaded onto cards, refunded and
    kept as deposits there, which is not the venue's."""

    aside: dict[Name, FlowShown]


class VenuePeriodShown(BaseModel):
    """`taken`: by currency; those in which nothing stood or moved are left out."""

    venue: UUID
    slug: str
    name: str
    taken: dict[str, TakenShown]
    due: DueShown


class PeriodShown(BaseModel):
    """`booked_at_us`: when the last of what these figures hold was booked (null: nothing yet); `behind`: more was
    booked since, and the figures are being brought up to date. `elsewhere`: by currency, what was loaded, refunded and
    kept as deposits at no venue, as online; empty for whoever reads for venues alone."""

    first: date
    last: date
    booked_at_us: int | None
    behind: bool
    venues: list[VenuePeriodShown]
    elsewhere: dict[str, dict[Name, FlowShown]]


@router.get("/positions", summary="Who owes whom")
async def list_positions(request: Request, caller: Caller) -> list[PositionShown]:
    """One position for each venue that the caller may see."""
    async with context_of(request).reader.connect() as connection:
        seen = [it for it in (await venues(connection)).values() if caller.may_see_venue(it.id)]
        known = await currencies(connection)
    found = await service.positions(ledger_of(request), seen, known)
    return [
        PositionShown(
            venue=it.venue.id,
            slug=it.venue.slug,
            name=it.venue.name,
            claims=dict(it.claims),
            due_cents=it.due_cents,
            redeemable_cents=it.redeemable_cents,
            net_cents=it.net_cents,
        )
        for it in found
    ]


@router.get("/positions/period", summary="What each venue took over a period, from its opening to its closing")
async def period_positions(
    request: Request, caller: Caller, first: Annotated[date, Query()], last: Annotated[date, Query()]
) -> PeriodShown:
    """Business days, both included; the wrong way round they are the same period. Venues that the caller may see."""
    async with context_of(request).reader.connect() as connection:
        seen = [it for it in (await venues(connection)).values() if caller.may_see_venue(it.id)]
        known = await currencies(connection)
    first, last = min(first, last), max(first, last)
    found = await periods(ledger_of(request), seen, known, first, last)
    return PeriodShown(
        first=first,
        last=last,
        booked_at_us=found.booked_at_us,
        behind=found.behind,
        elsewhere={code: _flows(of.aside) for code, of in found.elsewhere.items()} if caller.sees_network else {},
        venues=[
            VenuePeriodShown(
                venue=it.venue.id,
                slug=it.venue.slug,
                name=it.venue.name,
                taken={code: _taken(of) for code, of in it.taken.items() if of.moved},
                due=_due(it.due),
            )
            for it in found.venues
        ],
    )


def _taken(of: Taken) -> TakenShown:
    return TakenShown(opening=of.opening, closing=of.closing, flows=_flows(of.flows), aside=_flows(of.aside))


def _due(of: Due) -> DueShown:
    return DueShown(opening=of.opening, closing=of.closing, flows=_flows(of.flows))


def _flows(of: Mapping[Name, Flow]) -> dict[Name, FlowShown]:
    return {name: FlowShown(amount=it.amount, transfers=it.transfers) for name, it in of.items()}
