"""The currencies of the network, as every other room asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.currencies.tables import currency
from app.money import Unit, format_amount


@dataclass(frozen=True, slots=True)
class Currency:
    """`cents_per_unit`: euro cents per minor unit of a pegged currency, None for the others."""

    code: str
    issuer: str
    kind: Literal["pegged", "time"]
    unit: Unit
    name_fr: str
    name_en: str
    symbol: str
    cents_per_unit: int | None
    position: int = 0

    @property
    def names(self) -> dict[str, str]:
        return {"fr": self.name_fr, "en": self.name_en}

    def text(self, minor: int, language: str) -> str:
        """An amount of this currency as people write it."""
        return format_amount(minor, self.unit, self.symbol, language)


async def currencies(connection: AsyncConnection) -> dict[str, Currency]:
    """All of them, by code, in the order in which they are shown."""
    rows = await connection.execute(sa.select(currency).order_by(currency.c.position, currency.c.code))
    return {row.code: Currency(**{**row._mapping, "unit": Unit(row.unit)}) for row in rows}


async def add(connection: AsyncConnection, new: Currency) -> None:
    await connection.execute(sa.insert(currency).values(asdict(new)))


def rates(known: Mapping[str, Currency]) -> dict[str, int]:
    """Euro cents per minor unit, of the pegged ones."""
    return {code: it.cents_per_unit for code, it in known.items() if it.cents_per_unit is not None}
