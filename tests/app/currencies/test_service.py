"""Defining currencies, and what of them may change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.currencies.policies import policies
from app.currencies.service import UNITS, Currency, currencies, define, rates, rename
from app.money import Unit
from app.platform.errors import Conflict, Invalid, NotFound
from app.rules.ids import uuid7
from app.rules.policy import Limits, Policy
from tests.support.network import both

pytestmark = [pytest.mark.anyio, both]

RAF = Currency("RAF", "network", "pegged", Unit.CENT, "Rafftou", "Rafftou", "€", 1)


async def test_every_kind_of_money_can_be_defined(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        for position, (kind, unit) in enumerate(UNITS.items()):
            worth = 1 if kind == "pegged" else None
            new = Currency(f"C{kind[:3].upper()}", "network", kind, unit, kind, kind, "c", worth, position)
            first = await define(connection, new, Policy(), "person:1")
            assert first.label == f"{new.code}@1"
        known = await currencies(connection)
        assert [it.kind for it in known.values()] == ["pegged", "gift", "mutual", "time", "points"]
        assert rates(known) == {"CPEG": 1}
        assert [len(it) for it in (await policies(connection)).values()] == [2] * 5


async def test_a_venue_can_have_money_of_its_own(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        own = replace(RAF, code="LOCAL", issuer=f"venue:{uuid7()}")
        await define(connection, own, Policy(), "person:1")
        assert (await currencies(connection))["LOCAL"] == own


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "R"}, "code"),
        ({"code": "raf"}, "code"),
        ({"code": "RAF1"}, "code"),
        ({"code": "ABCDEFGHI"}, "code"),
        ({"code": "EUR"}, "code"),
        ({"kind": "shell"}, "kind"),
        ({"unit": Unit.POINT}, "unit"),
        ({"name_fr": ""}, "name_fr"),
        ({"name_en": " Rafftou"}, "name_en"),
        ({"name_en": "x" * 61}, "name_en"),
        ({"symbol": ""}, "symbol"),
        ({"symbol": "trop long"}, "symbol"),
        ({"issuer": "somebody"}, "issuer"),
        ({"issuer": "venue:1"}, "issuer"),
        ({"cents_per_unit": None}, "cents_per_unit"),
        ({"cents_per_unit": 0}, "cents_per_unit"),
        ({"kind": "time", "unit": Unit.MINUTE}, "cents_per_unit"),
        ({"kind": "gift"}, "cents_per_unit"),
    ],
)
async def test_what_is_no_currency_is_refused_with_the_field(
    engine: AsyncEngine, changes: dict[str, Any], field: str
) -> None:
    async with engine.begin() as connection:
        with pytest.raises(Invalid) as refused:
            await define(connection, replace(RAF, **changes), Policy(), "person:1")
        assert (refused.value.code, refused.value.extra) == ("currency-invalid", {"field": field})
        assert await currencies(connection) == {}


async def test_a_code_is_given_once(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await define(connection, RAF, Policy(), "person:1")
        with pytest.raises(Conflict, match="already"):
            await define(connection, RAF, Policy(), "person:1")


async def test_nothing_is_defined_with_rules_that_contradict_themselves(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        with pytest.raises(Invalid, match="floor"):
            await define(connection, RAF, Policy(limits=Limits(floor=-500)), "person:1")
        assert await currencies(connection) == {}


async def test_names_and_symbol_may_change(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await define(connection, RAF, Policy(), "person:1")
        after = await rename(connection, "RAF", "Raffetou", "Raftoo", "RAF")
        assert after == replace(RAF, name_fr="Raffetou", name_en="Raftoo", symbol="RAF")
        assert (await currencies(connection))["RAF"] == after
        with pytest.raises(Invalid):
            await rename(connection, "RAF", "", "Raftoo", "RAF")
        with pytest.raises(NotFound):
            await rename(connection, "GHOST", "a", "b", "c")


async def test_points_are_counted_in_points_and_nothing_else_is(engine: AsyncEngine) -> None:
    for kind, unit in (("points", "cent"), ("gift", "point"), ("shell", "cent")):
        with pytest.raises(IntegrityError):
            async with engine.begin() as connection:
                await connection.exec_driver_sql(
                    "INSERT INTO currency (code, issuer, kind, unit, name_fr, name_en, symbol, position) "
                    f"VALUES ('BAD', 'network', '{kind}', '{unit}', 'a', 'b', 'c', 0)"
                )
