"""The rules of currencies, version by version, on both databases."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.currencies.policies import PolicyVersion, add_policy, defaults, policies, policy_at, unwritten
from app.currencies.service import Currency, define
from app.money import Unit
from app.platform import revision
from app.platform.errors import Conflict, Invalid, NotFound
from app.rules.policy import Issue, Lapse, Limits, Policy
from app.rules.policy_check import problems

pytestmark = pytest.mark.anyio

RAF = Currency("RAF", "network", "pegged", Unit.CENT, "Rafftou", "Rafftou", "€", 1)
TIME = Currency("TEMPS", "network", "time", Unit.MINUTE, "Heures", "Hours", "h", None, 1)


@pytest.fixture
async def defined(engine: AsyncEngine) -> AsyncEngine:
    async with engine.begin() as connection:
        await define(connection, RAF, Policy(limits=Limits(ceiling=25_000)), "person:1", valid_from_us=1_000)
    return engine


async def versions(engine: AsyncEngine, code: str = "RAF") -> list[PolicyVersion]:
    async with engine.connect() as connection:
        return (await policies(connection))[code]


async def test_versions_are_kept_in_their_order_with_their_author(defined: AsyncEngine) -> None:
    async with defined.begin() as connection:
        second = await add_policy(connection, "RAF", Policy(limits=Limits(ceiling=30_000)), 2_000, "person:2")
    found = await versions(defined)
    assert [(it.label, it.valid_from_us, it.author) for it in found] == [
        ("RAF@0", 0, ""),
        ("RAF@1", 1_000, "person:1"),
        ("RAF@2", 2_000, "person:2"),
    ]
    assert found[2] == second
    assert found[1].policy.limits.ceiling == 25_000


async def test_a_version_holds_from_its_instant_until_the_next_one(defined: AsyncEngine) -> None:
    async with defined.begin() as connection:
        await add_policy(connection, "RAF", Policy(), 2_000, "person:2")
        await add_policy(connection, "RAF", Policy(limits=Limits(ceiling=1)), 2_000, "person:2")
    found = await versions(defined)
    held = [policy_at(found, at).version for at in (0, 999, 1_000, 1_999, 2_000, 10**15)]
    assert held == [0, 0, 1, 1, 3, 3]


async def test_a_currency_about_which_nothing_was_said_has_what_is_usual(defined: AsyncEngine) -> None:
    async with defined.begin() as connection:
        await connection.execute(
            sa.text(
                "INSERT INTO currency (code, issuer, kind, unit, name_fr, name_en, symbol, position) "
                "VALUES ('TEMPS', 'network', 'time', 'minute', 'Heures', 'Hours', 'h', 1)"
            )
        )
    assert await versions(defined, "TEMPS") == [unwritten("TEMPS", "time")]
    assert policy_at(await versions(defined, "TEMPS"), 5).policy == defaults("time")


async def test_a_version_cannot_begin_before_the_one_it_follows(defined: AsyncEngine) -> None:
    async with defined.begin() as connection:
        with pytest.raises(Conflict) as refused:
            await add_policy(connection, "RAF", Policy(), 999, "person:2")
    assert (refused.value.code, refused.value.extra) == ("policy-too-early", {"valid_from_us": 1_000})
    assert len(await versions(defined)) == 2


async def test_a_policy_that_contradicts_itself_is_refused_with_the_reason(defined: AsyncEngine) -> None:
    async with defined.begin() as connection:
        with pytest.raises(Invalid) as refused:
            await add_policy(connection, "RAF", Policy(lapse=Lapse(expires_after_days=90)), 2_000, "person:2")
    assert refused.value.code == "policy-invalid"
    assert [it["field"] for it in refused.value.extra["problems"]] == ["lapse.legal_ground"]
    assert len(await versions(defined)) == 2


async def test_nothing_is_said_about_a_currency_that_is_not_there(defined: AsyncEngine) -> None:
    async with defined.begin() as connection:
        with pytest.raises(NotFound):
            await add_policy(connection, "GHOST", Policy(), 2_000, "person:2")


async def test_the_defaults_of_every_kind_make_sense() -> None:
    for kind in ("pegged", "time", "gift", "points", "mutual"):
        assert problems(kind, defaults(kind)) == []  # type: ignore[arg-type]
    assert defaults("time").issue == Issue(roles=("network_admin", "venue_admin"))


INSERT = (
    "INTO policy (currency, version, valid_from_us, body, author, made_at_us) "
    "VALUES ('RAF', {version}, {valid_from}, '{{}}', 'x', 1)"
)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE policy SET body = '{}'",
        "UPDATE policy SET valid_from_us = 0",
        "DELETE FROM policy",
        "INSERT " + INSERT.format(version=3, valid_from=5_000),
        "INSERT " + INSERT.format(version=1, valid_from=5_000),
        "INSERT " + INSERT.format(version=2, valid_from=500),
        "UPDATE currency SET kind = 'time', unit = 'minute', cents_per_unit = NULL",
        "UPDATE currency SET cents_per_unit = 2",
        "UPDATE currency SET issuer = 'venue:1'",
        "UPDATE currency SET code = 'FAR'",
    ],
)
async def test_the_database_refuses_to_forget_what_was_agreed(defined: AsyncEngine, statement: str) -> None:
    with pytest.raises(DBAPIError):
        async with defined.begin() as connection:
            await connection.exec_driver_sql(statement)
    assert [it.version for it in await versions(defined)] == [0, 1]


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_replace_does_not_go_round_the_guards(defined: AsyncEngine) -> None:
    with pytest.raises(DBAPIError):
        async with defined.begin() as connection:
            await connection.exec_driver_sql("INSERT OR REPLACE " + INSERT.format(version=1, valid_from=5_000))


@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_truncate_is_refused(defined: AsyncEngine) -> None:
    with pytest.raises(DBAPIError):
        async with defined.begin() as connection:
            await connection.exec_driver_sql("TRUNCATE policy")


async def test_whoever_looked_something_up_learns_of_new_rules(defined: AsyncEngine) -> None:
    async def seen(connection: AsyncConnection) -> int:
        return await revision.current(connection)

    async with defined.begin() as connection:
        before = await seen(connection)
        await add_policy(connection, "RAF", Policy(), 2_000, "person:2")
        after_policy = await seen(connection)
        await define(connection, TIME, Policy(), "person:1")
        assert before < after_policy < await seen(connection)
