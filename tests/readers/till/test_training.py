"""Training at the till: everything looks as it will, and nothing of it is real."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.rules.offline import Refusal
from app.wire import TrainingRow, read_payload
from readers.terminal.commands import TillError
from tests.readers.sync.fake_server import AWA, PIN, FakeServer
from tests.readers.till.terminals import Terminal, a_terminal

pytestmark = pytest.mark.anyio

UNKNOWN = "04FFFFFFFFFFFF"


async def practised(terminal: Terminal) -> list[TrainingRow]:
    rows = [read_payload(row.payload) for row in await terminal.journal.rows_after(0, 500, 10**7)]
    return [row for row in rows if isinstance(row, TrainingRow)]


def trainer() -> FakeServer:
    server = FakeServer()
    server.rights = ("sell", "void", "train")
    return server


async def test_nothing_of_a_training_is_real(tmp_path: Path) -> None:
    server = trainer()
    async with a_terminal(tmp_path, server) as terminal:
        real = await terminal.tap(AWA)
        held = server.balances[AWA].copy()
        await terminal.until(lambda: not terminal.journal.waiting)
        await terminal.till.train(True)
        assert terminal.till.screen().training
        assert terminal.till.screen().last_sales == ()
        result = await terminal.tap(UNKNOWN, 2)
        assert result.reason is None
        assert [row.what for row in await practised(terminal)] == ["begin", "sale"]
        receipt = terminal.till.receipt(result.sale, "fr")
        assert receipt.number == "X-2"
        assert "FORMATION, PAS UNE VENTE" in receipt.text
        await terminal.till.void(result.sale, "Erreur")
        await terminal.until(lambda: not terminal.journal.waiting)
        await terminal.till.train(False)
        assert not terminal.till.screen().training
        # The real sales are back, and the server was asked for none of what was practised.
        assert [past.sale for past in terminal.till.screen().last_sales] == [real.sale]
        assert set(server.sold) == {real.sale}
        assert server.balances[AWA] == held
        book = terminal.shelf.book
        assert book is not None
        assert book.available(AWA) == {**held}
        assert [(row.number, row.what) for row in await practised(terminal)] == [
            (1, "begin"),
            (2, "sale"),
            (3, "void"),
            (4, "end"),
        ]


async def test_a_refusal_and_the_rest_in_cash_can_be_practised(tmp_path: Path) -> None:
    async with a_terminal(tmp_path, trainer()) as terminal:
        await terminal.till.train(True)
        while (result := await terminal.tap(AWA, 4)).reason is None:
            pass
        assert result.reason is Refusal.INSUFFICIENT_FUNDS
        assert "cash" in result.offers
        await terminal.till.complete("cash")
        await terminal.until(lambda: terminal.till.screen().phase == "paid")
        assert terminal.till.screen().last_sales[0].rest[0].means == "cash"


async def test_it_needs_the_right_and_no_sale_under_way(tmp_path: Path) -> None:
    server = FakeServer()
    async with a_terminal(tmp_path, server) as terminal:
        with pytest.raises(TillError, match="no_right"):
            await terminal.till.train(True)
        server.rights = ("train",)
        await terminal.until(lambda: "train" in terminal.till.screen().rights)
        await terminal.ask()
        with pytest.raises(TillError, match="busy"):
            await terminal.till.train(True)
        await terminal.till.cancel()
        await terminal.till.train(True)
        await terminal.ask()
        with pytest.raises(TillError, match="busy"):
            await terminal.till.train(False)


async def test_it_ends_with_who_signs_out_and_with_a_restart_and_its_numbers_go_on(tmp_path: Path) -> None:
    server = trainer()
    async with a_terminal(tmp_path, server) as terminal:
        await terminal.till.train(True)
        await terminal.till.sign_out()
        assert not terminal.till.screen().training
        await terminal.till.sign_in(PIN)
        await terminal.till.train(True)
        await terminal.tap(AWA)
    async with a_terminal(tmp_path, server) as terminal:
        assert not terminal.till.screen().training
        assert terminal.till.screen().last_sales == ()
        await terminal.till.train(True)
        assert [row.number for row in await practised(terminal)] == [1, 2, 3, 4, 5]
        assert server.sold == {}
