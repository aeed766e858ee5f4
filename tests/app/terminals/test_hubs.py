"""Boxes that only are a site hub, and forks that terminals of a site have seen."""

from __future__ import annotations

import pytest

from app.terminals.service import revoke
from app.wire import TerminalSnapshot
from tests.app.terminals.test_status import report, status
from tests.support.network import Network, problem
from tests.support.pages import look, words

pytestmark = pytest.mark.anyio
HERE = "/admin/terminals"


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


async def test_a_hub_is_told_whom_to_trust_and_nothing_to_sell_with(network: Network) -> None:
    await network.top_up("awa", 1000)
    await network.hired("lucas")
    bar, box = await network.terminal("raffinerie"), await network.terminal("raffinerie", "Relais", "hub")
    told = TerminalSnapshot.model_validate_json((await box.snapshot()).content)
    assert (told.cards, told.products, told.staff, told.receipts) == ((), (), (), None)
    assert [(it.device, it.kind) for it in told.peers] == [(bar.id, "till")]
    known = TerminalSnapshot.model_validate_json((await bar.snapshot()).content)
    assert known.cards
    assert [(it.device, it.kind) for it in known.peers] == [(box.id, "hub")]
    sale = box.sale("awa", {"Eau": 1})
    assert problem(await box.sell(sale)) == (403, "forbidden")
    row = box.sale_row(sale)
    assert problem(await box.sync(box.journal.batch(box.journal.add(row)))) == (403, "forbidden")
    assert (await network.holds("awa"))["RAF"] == 1000
    again = TerminalSnapshot.model_validate_json((await box.snapshot()).content)
    assert again.content == told.content


async def test_a_hub_needs_no_reader_and_is_called_one(network: Network) -> None:
    box = await network.terminal("raffinerie", "Relais", "hub")
    assert (await report(box, status(reader="none", site=3, volatile=True))).status_code == 200
    marie = await network.person("marie")
    fleet = words(await look(marie, f"{HERE}?lang=en"))
    assert "Relais Site hub" in fleet
    assert "none needs you now" in fleet or "needs nobody now" in fleet
    assert "3 terminals" in words(await look(marie, f"{HERE}/{box.id}?lang=en"))


async def test_what_is_said_of_a_hub_fits_a_box_that_sells_nothing(network: Network) -> None:
    box = await network.terminal("raffinerie", "Relais", "hub")
    troubled = status(reader="none", snapshot_age_s=10**6, read_only=True, disk_errors=3)
    assert (await report(box, troubled)).status_code == 200
    marie = await network.person("marie")
    one = words(await look(marie, f"{HERE}/{box.id}?lang=en"))
    for said in (
        "It goes on while it runs, and may not come back after a power cut.",
        "No sale is kept on it.",
        "It may turn away terminals paired since then",
        "Age of what it knows of the terminals",
        "Revoke this box",
    ):
        assert said in one
    for said in ("prices and balances", "Cannot sell", "What it sold", "to send", "Journal"):
        assert said not in one
    fleet = words(await look(marie, f"{HERE}?lang=en"))
    assert "to send" not in fleet
    assert "needs you now" not in fleet


async def test_a_fork_that_another_terminal_saw_is_shown_until_its_word_counts_no_more(network: Network) -> None:
    bar, other = await network.terminal("raffinerie", "Copié"), await network.terminal("canal", "Témoin")
    marie = await network.person("marie")
    title = "Two machines sell under its name, from row 12 of its journal on"

    async def shown() -> bool:
        return title in words(await look(marie, f"{HERE}?lang=en"))

    def fork(epoch: int) -> list[dict[str, object]]:
        return [{"device": str(bar.id), "epoch": epoch, "sequence": 12}]

    # A terminal is no witness of itself, and an epoch that is over is no news.
    for reporter, epoch in ((bar, 1), (other, 2)):
        assert (await report(reporter, status(forks=fork(epoch)))).status_code == 200
        assert not await shown()
    assert (await report(other, status(forks=fork(1)))).status_code == 200
    assert await shown()
    assert (await bar.sell("awa", {"Eau": 1})).status_code == 402, "it is a person who sets it aside"
    async with network.engine.begin() as connection:
        await revoke(connection, other.id)
    assert not await shown()
