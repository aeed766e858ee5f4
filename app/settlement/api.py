"""Who owes whom, for programs."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel

from app.currencies.service import currencies
from app.identity.guard import Caller
from app.ledger.service import ledger_of
from app.platform.context import context_of
from app.settlement import service
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
