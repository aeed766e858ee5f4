"""Venues and what they sell, for programs."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel

from app.identity.guard import Caller
from app.platform.context import context_of
from app.platform.errors import Invalid, NotFound
from app.venues import service
from app.wire.base import CurrencyCode

router = APIRouter(prefix="/api/v1", tags=["venues"])


class ProductShown(BaseModel):
    """`prices`: minor units by currency."""

    id: UUID
    names: dict[str, str]
    category: str
    prices: dict[str, int]


class VenueShown(BaseModel):
    id: UUID
    slug: str
    name: str
    zone: str
    cut_off: str
    accepted: list[str]
    products: list[ProductShown]


class Price(BaseModel):
    amount: int


@router.get("/venues", summary="Venues with their products and prices")
async def list_venues(request: Request, caller: Caller) -> list[VenueShown]:
    async with context_of(request).reader.connect() as connection:
        found = [it for it in (await service.venues(connection)).values() if caller.may_see_venue(it.id)]
        return [
            VenueShown(
                id=it.id,
                slug=it.slug,
                name=it.name,
                zone=it.zone,
                cut_off=it.cut_off.isoformat("minutes"),
                accepted=list(it.accepted),
                products=[
                    ProductShown(
                        id=p.id, names={"fr": p.name_fr, "en": p.name_en}, category=p.category, prices=dict(p.prices)
                    )
                    for p in await service.products(connection, it.id)
                ],
            )
            for it in found
        ]


@router.put("/venues/{venue}/products/{product}/prices/{currency}", status_code=204, summary="Change a price")
async def set_price(
    request: Request, caller: Caller, venue: UUID, product: UUID, currency: CurrencyCode, body: Price
) -> None:
    """What was sold before keeps the price it was sold at; terminals learn of it with their next snapshot."""
    caller.require_venue(venue)
    if not 0 <= body.amount <= 10**9:
        raise Invalid("A price is between 0 and 10,000,000.00.")
    async with context_of(request).engine.begin() as connection:
        known = {it.id for it in await service.products(connection, venue)}
        if product not in known:
            raise NotFound("This venue sells no such product.")
        await service.set_price(connection, product, currency, body.amount)
