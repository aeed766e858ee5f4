"""Receipts of the till's last sales: number, address, text and paper."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from app.rules.ids import uuid7
from app.rules.receipts import sale_of_token
from app.wire import SnapshotReceipts
from readers.printer import Printer
from readers.terminal.commands import TillError
from readers.terminal.slip import Slip
from tests.readers.sync.fake_server import AWA, PIN, FakeServer
from tests.readers.till.terminals import a_terminal

pytestmark = pytest.mark.anyio

KEY = bytes(range(32))
TOLD = SnapshotReceipts(address="https://comptoir.example/r/", key=base64.b64encode(KEY).decode())


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


async def test_a_receipt_has_its_number_its_address_and_its_text_also_offline(tmp_path: Path) -> None:
    server = FakeServer()
    server.receipts = TOLD
    async with a_terminal(tmp_path, server) as terminal:
        await terminal.go_offline()
        result = await terminal.tap(AWA, 2)
        shown = terminal.till.receipt(result.sale, "fr")
        # The first row is the intent, the second the sale.
        assert shown.number == f"{terminal.journal.pairing.epoch}-2"
        assert shown.address is not None
        assert sale_of_token(KEY, shown.address.removeprefix(TOLD.address)) == result.sale
        text = plain(shown.text)
        assert "Total" in text
        assert "2 x" in text
        assert "Reste sur la carte" in text
        assert shown.number in text


async def test_after_a_restart_the_receipt_is_the_same_but_for_what_was_left(tmp_path: Path) -> None:
    server = FakeServer()
    server.receipts = TOLD
    async with a_terminal(tmp_path, server) as terminal:
        result = await terminal.tap(AWA)
        before = terminal.till.receipt(result.sale, "fr")
    async with a_terminal(tmp_path, server) as terminal:
        after = terminal.till.receipt(result.sale, "fr")
        assert (after.number, after.address) == (before.number, before.address)
        kept = [line for line in before.text.splitlines() if "Reste sur la carte" not in line]
        assert after.text.splitlines() == kept


async def test_a_voided_sale_says_so_on_its_receipt(tmp_path: Path) -> None:
    async with a_terminal(tmp_path, FakeServer()) as terminal:
        result = await terminal.tap(AWA)
        await terminal.till.void(result.sale, "Erreur")
        shown = terminal.till.receipt(result.sale, "fr")
        assert "ANNULÉE" in shown.text
        # A server that told no address for receipts: the text is all there is.
        assert shown.address is None


async def test_the_printer_never_holds_up_the_till(tmp_path: Path) -> None:
    async with a_terminal(tmp_path, FakeServer()) as terminal:
        result = await terminal.tap(AWA)
        with pytest.raises(TillError, match="no_printer"):
            await terminal.till.print_receipt(result.sale, "fr")
        # Never started: as a printer that hangs in its first slip.
        terminal.till.receipts.printer = Printer("tcp:printer", lambda _: None)
        for _ in range(10):
            await terminal.till.print_receipt(result.sale, "fr")
        with pytest.raises(TillError, match="printer_busy"):
            await terminal.till.print_receipt(result.sale, "fr")
        assert (await terminal.tap(AWA)).reason is None


async def test_another_person_s_sale_needs_the_right_to_void(tmp_path: Path) -> None:
    server = FakeServer()
    async with a_terminal(tmp_path, server) as terminal:
        result = await terminal.tap(AWA)
        assert terminal.till.screen().last_sales[0].why_not is None
        # The same PIN is somebody else's now.
        server.cashier = uuid7()
        await terminal.until(lambda: terminal.till.screen().signed_in is None)
        await terminal.till.sign_in(PIN)
        assert terminal.till.screen().last_sales[0].why_not == "not_yours"
        with pytest.raises(TillError, match="not_yours"):
            await terminal.till.void(result.sale, "Erreur")
        server.rights = ("sell", "void")
        await terminal.until(lambda: terminal.till.screen().last_sales[0].why_not is None)
        await terminal.till.void(result.sale, "Erreur")
        assert terminal.till.screen().last_sales[0].voided


async def test_the_slip_of_a_top_up_bears_the_first_recovery_code_or_says_how_to_get_one(tmp_path: Path) -> None:
    server = FakeServer()
    server.rights = ("sell", "top_up")
    printed: list[Slip] = []

    class Paper(Printer):
        def print(self, slip: Slip) -> bool:
            printed.append(slip)
            return True

    async with a_terminal(tmp_path, server) as terminal:
        till = terminal.till
        await till.act("top_up", {"currency": "RAF", "amount": 1500, "means": "cash"})
        terminal.lay(AWA)
        await terminal.until(lambda: till.screen().phase == "paid")
        act = till.screen().result
        assert act is not None
        till.receipts.printer = Paper("tcp:printer", lambda _: None)
        shown = plain(till.receipt(act.sale, "fr").text).replace("\n", " ")
        assert "Recharge 15,00" in shown
        assert "scannez le code de la carte" in shown
        await till.print_receipt(act.sale, "fr")
        assert "ABCD-EFGH-JKMN-PQRS" in [row.left for row in printed[-1].rows]
        assert printed[-1].link == "https://comptoir.example/lost"
        server.has_code = True
        await till.print_receipt(act.sale, "fr")
        rows = [row.left for row in printed[-1].rows]
        assert "Code de secours" not in rows
        assert not any("scannez" in row for row in rows), "it has one: nothing to be said"
        await terminal.go_offline()
        await till.print_receipt(act.sale, "fr")
        assert any("scannez" in row.left for row in printed[-1].rows)
