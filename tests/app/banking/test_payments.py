"""A payment of a settlement, found on the bank's statement."""

from __future__ import annotations

from datetime import date

import pytest

from app.banking import importing, service
from tests.app.banking.samples import camt053, entry
from tests.app.settlement.conftest import Settling, settling

pytestmark = pytest.mark.anyio

__all__ = ["settling"]


async def test_a_payment_that_left_the_account_is_executed_in_its_run(settling: Settling) -> None:
    network = settling.network
    await settling.load_online("awa", 5000)
    bar = await network.terminal("raffinerie")
    assert (await bar.sell("awa", {"Demi": 8})).status_code == 201
    run = await settling.settled("raffinerie")
    (payment,) = run["payments"]
    euros = f"{payment['cents'] // 100}.{payment['cents'] % 100:02d}"
    out = entry(euros, "DBIT", party="Raffinerie", end_to_end=payment["end_to_end"])
    await importing.take_in(network.engine, "out.xml", camt053([out], euros, "0"), "", actor="person:nadia")
    assert await service.match_what_is_certain(network.engine, network.app.state.ledger, date(2026, 11, 20)) == 1
    run = await settling.get(run)
    assert run["state"] == "executed"
    async with network.engine.connect() as connection:
        (line,) = await service.lines(connection, open_=False)
    assert line.found is not None
    assert (line.found.kind, line.found.subject) == ("payment", payment["end_to_end"])
