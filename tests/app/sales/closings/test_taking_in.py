"""Closings that terminals deliver: computed anew from their rows, sealed once, and told where they differ."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from app.platform.clock import now_us
from app.rules.drawer import Closed
from app.rules.ids import uuid7
from app.rules.takings import Figures
from app.sales.closings import store
from app.terminals.service import make_pairing_code
from app.venues.rules import NetworkSettings
from app.venues.service import set_network
from app.wire import TerminalSnapshot, TopUpRow, VoidRow
from tests.support.network import Network
from tests.support.tills import CASHIER, Till


async def sealed(network: Network, till: Till, number: int) -> store.Sealed:
    async with network.context.reader.connect() as connection:
        found = await store.numbered(connection, till.terminal.id, "session", number)
    assert found is not None
    return found


async def test_an_evening_is_closed(network: Network) -> None:
    till = Till(await network.terminal("raffinerie"))
    await network.top_up("awa", 5000)
    await till.open({1000: 5})
    sale = till.terminal.sale_row("awa", {"Demi": 2})
    await till.deliver(sale, till.terminal.sale_row("awa", {"Demi": 1}))
    await till.deliver(VoidRow(id=uuid7(), sale=sale.sale.id, reason="Erreur", at_us=now_us()))
    await till.move("out", "to_safe", 2000)
    await till.count({1000: 3})
    row = await till.close()
    assert (row.expected_cents, row.difference_cents) == (3000, 0)
    found = (await sealed(network, till, 1)).document
    price = network.product("raffinerie", "Demi").prices["RAF"]
    assert found.figures == row.figures
    assert found.figures.total == {"RAF": 3 * price}
    assert found.figures.voided == {"RAF": 2 * price}
    assert found.after == Closed(1, found.after.perpetual)
    assert found.origin is not None
    assert found.origin.agrees
    assert await network.exceptions() == []


async def test_top_ups_in_cash_are_in_the_drawer(network: Network) -> None:
    till = Till(await network.terminal("raffinerie"))
    uid = network.cards["awa"].uid
    for means in ("cash", "bank_card"):
        paid = TopUpRow(
            mode="offline",
            id=uuid7(),
            card=uid,
            currency="RAF",
            amount=2000,
            cashier=CASHIER,
            at_us=now_us(),
            means=means,
        )
        await till.deliver(paid)
    row = await till.close()
    assert (row.expected_cents, row.figures.top_ups) == (2000, 2)
    found = (await sealed(network, till, 1)).document
    assert found.origin is not None
    assert found.origin.agrees


async def test_closings_are_numbered_and_go_on_for_ever(network: Network) -> None:
    till = Till(await network.terminal("raffinerie"))
    await network.top_up("awa", 5000)
    for _ in range(3):
        await till.deliver(till.terminal.sale_row("awa", {"Demi": 1}))
        await till.close()
    last = await sealed(network, till, 3)
    price = network.product("raffinerie", "Demi").prices["RAF"]
    assert last.document.after.perpetual.total == {"RAF": 3 * price}
    assert last.previous == (await sealed(network, till, 2)).digest
    assert await network.exceptions() == []


async def test_a_row_that_is_taken_in_again_is_sealed_once(network: Network) -> None:
    till = Till(await network.terminal("raffinerie"))
    await till.open({})
    await till.count({100: 1})
    await till.close("found a coin")
    async with network.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE journal_mark SET applied = 0, head = :none"), {"none": "0" * 64})
    answer = await till.terminal.sync(till.terminal.journal.batch())
    assert answer.json()["acknowledged"] == 3
    assert (await sealed(network, till, 1)).document.number == 1
    found = await network.exceptions()
    assert [kind for kind, _ in found] == ["till-difference"]
    assert found[0][1] == {"number": 1, "difference_cents": 100, "reason": "found a coin"}


async def test_figures_that_are_not_those_of_the_rows_are_told(network: Network) -> None:
    till = Till(await network.terminal("raffinerie"))
    await network.top_up("awa", 5000)
    await till.deliver(till.terminal.sale_row("awa", {"Demi": 1}))
    till.period.figures = Figures()
    await till.close()
    assert [kind for kind, _ in await network.exceptions()] == ["closing-differs"]
    origin = (await sealed(network, till, 1)).document.origin
    assert origin is not None
    assert not origin.agrees


async def test_cash_is_expected_at_the_servers_rates(network: Network) -> None:
    till = Till(await network.terminal("raffinerie"))
    await till.open({100: 1})
    row = till.closing().model_copy(update={"expected_cents": 99})
    await till.deliver(row)
    assert [kind for kind, _ in await network.exceptions()] == ["closing-differs"]


async def test_a_sale_from_before_a_closing_is_told(network: Network) -> None:
    till = Till(await network.terminal("raffinerie"))
    await network.top_up("awa", 5000)
    early = now_us() - 60_000_000
    await till.close()
    late = till.terminal.sale_row("awa", {"Demi": 1}, at_us=early)
    await till.deliver(late)
    await till.close()
    assert await network.exceptions() == [("late-sale", {"number": 1})]


@pytest.mark.parametrize("required", [True, False])
async def test_sales_without_a_session_are_told_where_one_is_required(network: Network, required: bool) -> None:
    async with network.engine.begin() as connection:
        await set_network(connection, "Les Comptoirs liés", NetworkSettings(session_required=required))
    till = Till(await network.terminal("raffinerie"))
    await network.top_up("awa", 5000)
    await till.deliver(till.terminal.sale_row("awa", {"Demi": 1}))
    await till.close()
    assert [kind for kind, _ in await network.exceptions()] == (["no-session"] if required else [])


async def test_a_forked_number_is_kept_and_told(network: Network) -> None:
    till = Till(await network.terminal("raffinerie"))
    await till.close()
    again = replace(till, last=Closed())
    await again.close()
    assert [kind for kind, _ in await network.exceptions()] == ["closing-number-taken"]


async def test_a_new_device_goes_on_where_the_old_one_was(network: Network) -> None:
    """Pairing anew begins an epoch; what the older one left open is told to it, and closed by it."""
    old = Till(await network.terminal("raffinerie"))
    await network.top_up("awa", 5000)
    await old.deliver(old.terminal.sale_row("awa", {"Demi": 1}))
    await old.close()
    await old.open({1000: 2})
    sale = old.terminal.sale_row("awa", {"Demi": 2})
    await old.deliver(sale)
    async with network.engine.begin() as connection:
        code = await make_pairing_code(connection, network.venues["raffinerie"].id, "Bar", old.terminal.id)
    terminal = await network.pair(code)
    told = TerminalSnapshot.model_validate_json((await terminal.snapshot()).content).till
    assert told.closed == old.last
    assert told.open_before == old.period
    new = Till(terminal, told.closed, told.open_before, old.booked)
    await new.deliver(terminal.sale_row("awa", {"Demi": 1}))
    await new.deliver(VoidRow(id=uuid7(), sale=sale.sale.id, reason="Erreur", at_us=now_us()))
    row = await new.close()
    assert (row.number, row.figures.first) == (2, "1-4")
    assert row.figures.sales == 2
    told = TerminalSnapshot.model_validate_json((await terminal.snapshot()).content).till
    assert (told.closed, told.open_before) == (row.after, None)
    # A void of what the older journal sold is that terminal's own.
    assert [kind for kind, _ in await network.exceptions()] == []
