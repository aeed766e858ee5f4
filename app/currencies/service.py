"""The currencies of the network, as every other room asks for them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.currencies import policies
from app.currencies.tables import currency
from app.money import Unit, format_amount
from app.platform.clock import now_us
from app.platform.errors import Conflict, Invalid, NotFound
from app.rules.policy import CurrencyKind, Policy

NETWORK = "network"
UNITS: Mapping[CurrencyKind, Unit] = {
    "pegged": Unit.CENT,
    "gift": Unit.CENT,
    "mutual": Unit.CENT,
    "time": Unit.MINUTE,
    "points": Unit.POINT,
}
NAME_MAX, SYMBOL_MAX = 60, 8
# Far above any peg in use, far below what could overflow an amount in euro cents.
CENTS_PER_UNIT_MAX = 10_000

_CODE = re.compile(r"[A-Z]{2,8}")


@dataclass(frozen=True, slots=True)
class Currency:
    """`cents_per_unit`: euro cents per minor unit of a pegged currency, None for the others.

    `issuer`: "network" or "venue:<uuid>". Only names, symbol and position ever change.
    """

    code: str
    issuer: str
    kind: CurrencyKind
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


async def define(
    connection: AsyncConnection, new: Currency, policy: Policy, author: str, valid_from_us: int | None = None
) -> policies.PolicyVersion:
    """A new currency with the first version of its rules, which hold from now unless a date is given.

    Raises Invalid("currency-invalid" or "policy-invalid") and Conflict("currency-known"). That a venue which issues it
    exists is for the caller to know.
    """
    check(new)
    policies.check_policy(new.kind, policy)
    known = sa.select(currency.c.code).where(currency.c.code == new.code)
    if (await connection.execute(known)).first() is not None:
        raise Conflict(f"There is a currency {new.code} already.", "currency-known")
    await add(connection, new)
    begins_us = now_us() if valid_from_us is None else valid_from_us
    return await policies.add_policy(connection, new.code, policy, begins_us, author)


async def rename(connection: AsyncConnection, code: str, name_fr: str, name_en: str, symbol: str) -> Currency:
    """How a currency is called and written; what it is stays. Raises NotFound and Invalid("currency-invalid")."""
    before = (await currencies(connection)).get(code)
    if before is None:
        raise NotFound(f"There is no currency {code}.")
    names = {"name_fr": name_fr.strip(), "name_en": name_en.strip(), "symbol": symbol.strip()}
    after = Currency(**{**asdict(before), **names})
    check(after)
    if after != before:
        await connection.execute(sa.update(currency).where(currency.c.code == code).values(names))
    return after


async def put_in_order(connection: AsyncConnection, codes: Sequence[str]) -> None:
    """Show these first, in this order; the others after them, as they stood."""
    rest = [code for code in await currencies(connection) if code not in set(codes)]
    for position, code in enumerate((*codes, *rest)):
        await connection.execute(sa.update(currency).where(currency.c.code == code).values(position=position))


def check(new: Currency) -> None:
    """Raises Invalid("currency-invalid") with the `field` that is not right."""
    for field, wrong, told in (
        ("code", not _CODE.fullmatch(new.code), "A code is two to eight capital letters."),
        ("code", new.code == "EUR", "EUR is the euro itself."),
        ("kind", new.kind not in UNITS, "This kind of currency is not known."),
        ("unit", new.unit is not UNITS.get(new.kind), f"A {new.kind} currency is not counted in {new.unit}s."),
        ("name_fr", not _written(new.name_fr, NAME_MAX), f"A name has 1 to {NAME_MAX} characters."),
        ("name_en", not _written(new.name_en, NAME_MAX), f"A name has 1 to {NAME_MAX} characters."),
        ("symbol", not _written(new.symbol, SYMBOL_MAX), f"A symbol has 1 to {SYMBOL_MAX} characters."),
        ("issuer", not _issuer(new.issuer), 'The issuer is "network" or "venue:" and the id of a venue.'),
        ("cents_per_unit", not _worth(new), "Pegged money, and no other, is worth whole euro cents per minor unit."),
    ):
        if wrong:
            raise Invalid(told, "currency-invalid", field=field)


def rates(known: Mapping[str, Currency]) -> dict[str, int]:
    """Euro cents per minor unit, of the pegged ones."""
    return {code: it.cents_per_unit for code, it in known.items() if it.cents_per_unit is not None}


def _written(text: str, longest: int) -> bool:
    return 0 < len(text) <= longest and text == text.strip() and text.isprintable()


def _issuer(text: str) -> bool:
    if text == NETWORK:
        return True
    room, _, id_ = text.partition(":")
    try:
        return room == "venue" and str(UUID(id_)) == id_
    except ValueError:
        return False


def _worth(new: Currency) -> bool:
    if new.kind != "pegged":
        return new.cents_per_unit is None
    return new.cents_per_unit is not None and 1 <= new.cents_per_unit <= CENTS_PER_UNIT_MAX
