"""What a venue sells, for programs: the same rules as on the page of its products."""

from __future__ import annotations

from typing import Annotated, Any, Final, Self
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity.audit import audit
from app.identity.guard import Caller
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Conflict, Forbidden, Invalid, NotFound
from app.rules.basket import UNIT_PRICE_MAX
from app.rules.goods import COLOUR, COLOUR_PATTERN, LINE_MAX, VAT_MAX, is_line, may_be_open
from app.rules.ids import uuid7
from app.rules.lines import ProductKind
from app.venues import offer, service
from app.venues.service import Product, Venue
from app.wire.base import CurrencyCode

router = APIRouter(prefix="/api/v1/venues/{venue}/products", tags=["venues"])

Responses = dict[int | str, dict[str, Any]]

_NOT_SOLD: Final[Responses] = {404: {"description": "not-found: there is no such venue, or it sells no such product"}}
_REFUSED: Final[Responses] = {
    409: {"description": "name-taken: the venue sells something of this name already"},
    422: {"description": "invalid, currency-not-accepted"},
}


def _line(text: str) -> str:
    if not is_line(text):
        raise ValueError("a name stands on one line, without blanks around it")
    return text


Name = Annotated[str, Field(max_length=LINE_MAX), AfterValidator(_line)]
MinorPrice = Annotated[int, Field(ge=0, le=UNIT_PRICE_MAX, strict=True)]


class Names(BaseModel):
    model_config = ConfigDict(extra="forbid")

    fr: Annotated[Name, Field(examples=["Demi"])]
    en: Annotated[Name, Field(examples=["Half pint"])]


class ProductBody(BaseModel):
    """`prices`: minor units by currency, above 0 whatever its kind; without one it is not sold for that currency.
    `open_price`: staff may type another. `vat`: the rate that the prices hold, in basis points (550 is 5.5 %).
    `place`: among what the venue sells, 1 for the first; without one it stays where it is, or is the last.
    """

    model_config = ConfigDict(extra="forbid")

    names: Names
    category: Annotated[Name, Field(examples=["Bar"])]
    colour: Annotated[str, Field(pattern=COLOUR_PATTERN)] = COLOUR
    prices: dict[CurrencyCode, MinorPrice] = Field(default_factory=dict, examples=[{"RAF": 350}])
    kind: ProductKind = "goods"
    open_price: bool = False
    vat: Annotated[int, Field(ge=0, le=VAT_MAX, strict=True)] | None = None
    place: Annotated[int, Field(ge=1, le=10**6, strict=True)] | None = None

    @model_validator(mode="after")
    def _may_be_typed(self) -> Self:
        if self.open_price and not may_be_open(self.kind):
            raise ValueError("only the price of something that is sold may be typed")
        return self

    def product(self, id_: UUID) -> Product:
        names = self.names
        return Product(
            id_, names.fr, names.en, self.category, self.colour, self.prices, self.kind, self.open_price, vat=self.vat
        )


class SoldProduct(BaseModel):
    """A product as ProductBody writes it, and its `place`. `sold_out`: as staff last said at a till."""

    id: UUID
    names: dict[str, str]
    category: str
    colour: str
    prices: dict[str, int]
    kind: ProductKind
    open_price: bool
    vat: int | None
    place: int
    sold_out: bool


class SoldOut(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sold_out: bool


@router.get("", summary="What a venue sells", responses=_NOT_SOLD)
async def list_products(request: Request, caller: Caller, venue: UUID) -> list[SoldProduct]:
    """In the order of the till's screen."""
    async with context_of(request).reader.connect() as connection:
        at = await service.venue_named(connection, venue)
        if not caller.may_see_venue(at.id):
            raise Forbidden("Your rights do not reach this venue.")
        return [_shown(it, place) for place, it in enumerate(await service.products(connection, venue), 1)]


@router.post("", status_code=201, summary="Sell something more", responses=_NOT_SOLD | _REFUSED)
async def create_product(request: Request, caller: Caller, venue: UUID, body: ProductBody) -> SoldProduct:
    """Terminals learn of it with their next contact. What was sold under this French name before is the same product
    again, under the same id."""
    caller.require_venue(venue)
    async with context_of(request).engine.begin() as connection:
        at, sold = await _to_change(connection, venue)
        return await _saved(connection, caller.actor, at, sold, body.product(uuid7()), body.place)


@router.put("/{product}", summary="Change a product as a whole", responses=_NOT_SOLD | _REFUSED)
async def replace_product(
    request: Request, caller: Caller, venue: UUID, product: UUID, body: ProductBody
) -> SoldProduct:
    """What was sold before keeps its name, its price and its VAT. What is left out has its usual value."""
    caller.require_venue(venue)
    async with context_of(request).engine.begin() as connection:
        at, sold = await _to_change(connection, venue)
        _one_of(sold, product)
        return await _saved(connection, caller.actor, at, sold, body.product(product), body.place)


@router.delete("/{product}", status_code=204, summary="Sell a product no longer", responses=_NOT_SOLD)
async def retire_product(request: Request, caller: Caller, venue: UUID, product: UUID) -> None:
    """It leaves the tills' screens; what was sold stays in the books."""
    caller.require_venue(venue)
    async with context_of(request).engine.begin() as connection:
        _, sold = await _to_change(connection, venue)
        await offer.withdraw(connection, caller.actor, venue, _one_of(sold, product))


@router.put("/{product}/sold-out", status_code=204, summary="Say whether a product is sold out", responses=_NOT_SOLD)
async def set_product_sold_out(request: Request, caller: Caller, venue: UUID, product: UUID, body: SoldOut) -> None:
    """As staff say it at a till; whoever says it last is believed."""
    caller.require_venue(venue)
    async with context_of(request).engine.begin() as connection:
        _, sold = await _to_change(connection, venue)
        _one_of(sold, product)
        await service.set_sold_out(connection, venue, product, now_us(), sold_out=body.sold_out)
        told = {"venue": str(venue), "sold_out": body.sold_out}
        await audit(connection, caller.actor, "product.sold_out", f"product:{product}", **told)


async def _to_change(connection: AsyncConnection, venue: UUID) -> tuple[Venue, list[Product]]:
    await offer.held(connection)
    return await service.venue_named(connection, venue), await service.products(connection, venue)


async def _saved(
    connection: AsyncConnection, actor: str, at: Venue, sold: list[Product], now: Product, place: int | None
) -> SoldProduct:
    if strange := sorted(now.prices.keys() - set(at.accepted)):
        raise Invalid(f"{at.name} does not accept {', '.join(strange)}.", "currency-not-accepted")
    if now.name_fr in {it.name_fr for it in sold if it.id != now.id}:
        raise Conflict(f"{at.name} sells something called {now.name_fr} already.", "name-taken")
    id_ = await offer.save(connection, actor, at.id, sold, now, place)
    after = await service.products(connection, at.id)
    return next(_shown(it, place) for place, it in enumerate(after, 1) if it.id == id_)


def _one_of(sold: list[Product], id_: UUID) -> Product:
    found = next((it for it in sold if it.id == id_), None)
    if found is None:
        raise NotFound("This venue sells no such product.")
    return found


def _shown(it: Product, place: int) -> SoldProduct:
    return SoldProduct(
        id=it.id,
        names={"fr": it.name_fr, "en": it.name_en},
        category=it.category,
        colour=it.colour,
        prices=dict(it.prices),
        kind=it.kind,
        open_price=it.open_price,
        vat=it.vat,
        place=place,
        sold_out=it.sold_out,
    )
