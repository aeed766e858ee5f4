"""Venues and what they sell, for programs."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from app.identity.guard import Caller
from app.platform.context import context_of
from app.platform.errors import Invalid, NotFound
from app.rules.basket import UNIT_PRICE_MAX
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
    """`amount`: minor units."""

    model_config = ConfigDict(extra="forbid")

    amount: Annotated[int, Field(ge=0, le=UNIT_PRICE_MAX, strict=True, examples=[350])]


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
    async with context_of(request).engine.begin() as connection:
        at = await service.venue_named(connection, venue)
        if product not in {it.id for it in await service.products(connection, venue)}:
            raise NotFound("This venue sells no such product.")
        if currency not in at.accepted:
            raise Invalid(f"{at.name} does not accept {currency}.", "currency-not-accepted")
        await service.set_price(connection, product, currency, body.amount)
