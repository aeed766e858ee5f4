"""Is every euro there: what circulates against what is held, and the ledger's own proof."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.ledger import guards
from app.platform.clock import now_us
from tests.support.network import Network

pytestmark = pytest.mark.anyio


async def test_what_circulates_is_covered(network: Network) -> None:
    await network.top_up("awa", 2000)
    await network.shift("awa", 90)
    bar = await network.terminal("raffinerie")
    await bar.sell("awa", {"Demi": 2})
    await bar.deliver(bar.sale_row("basile", {"Demi": 1}))
    reserve = (await network.get("nadia", "/reserve")).json()
    assert reserve == {
        "circulation": [
            {"currency": "RAF", "issued": 2000, "owed_cents": 2000},
            {"currency": "TEMPS", "issued": 90, "owed_cents": None},
        ],
        "bank_cents": 0,
        "clearing_cents": 0,
        "due_from_cents": 2000,
        "liability_cents": 2000,
        "payable_cents": 0,
        "holds": True,
    }


async def test_it_is_covered_at_any_instant(network: Network) -> None:
    await network.top_up("awa", 2000)
    between = now_us()
    await network.top_up("awa", 500)
    for at_us, cents in ((0, 0), (between, 2000), (now_us(), 2500)):
        reserve = (await network.get("nadia", f"/reserve?at_us={at_us}")).json()
        issued = {it["currency"]: it["issued"] for it in reserve["circulation"]}
        assert (reserve["liability_cents"], issued["RAF"], reserve["holds"]) == (cents, cents, True)


async def test_the_proof_is_that_of_comptoir_verify(network: Network) -> None:
    await network.top_up("awa", 2000)
    proof = (await network.get("nadia", "/proof")).json()
    assert (proof["ok"], proof["findings"], proof["operations"]) == (True, [], 1)
    assert [(it["currency"], it["issuance"], it["liability"]) for it in proof["pegs"]] == [("RAF", 2000, 2000)]


async def test_a_guard_that_somebody_took_away_is_missed(network: Network) -> None:
    dialect = network.engine.dialect.name
    table, name = next(iter(guards.guards(dialect)))
    on = f" ON {table}" if dialect == "postgresql" else ""
    async with network.engine.begin() as connection:
        await connection.execute(sa.text(f"DROP TRIGGER {name}{on}"))
    proof = (await network.get("nadia", "/proof")).json()
    assert not proof["ok"]
    assert any(name in finding for finding in proof["findings"])
    async with network.engine.begin() as connection:
        await connection.run_sync(guards.install)
    assert (await network.get("nadia", "/proof")).json()["ok"]
