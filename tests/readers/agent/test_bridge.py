"""A whole terminal whose reader is a board of the firmware bridge."""

from __future__ import annotations

from pathlib import Path

from firmware_bridge.simulator import SimulatedBoard
from readers.emulator import Ntag213
from tests.readers.agent.processes import TerminalProcess, on_loopback, until
from tests.readers.sync.fake_server import AWA, CODE, FakeServer


def test_a_terminal_sells_through_a_board_shows_it_there_and_outlives_its_death_in_the_middle(tmp_path: Path) -> None:
    server = FakeServer()
    with (
        SimulatedBoard() as board,
        on_loopback(server) as url,
        TerminalProcess(tmp_path / "data", url, board, CODE) as running,
    ):
        running.ready()
        sale = running.pay(server.beer)
        price = until(lambda: board.outputs.led[:3] == (0, 0, 120) and list(board.outputs.lines))
        board.present(Ntag213(bytes.fromhex(AWA)))
        assert running.result(sale)["reason"] is None
        until(lambda: board.outputs.led[:3] == (0, 255, 0) and board.outputs.lines[:2] == ["OK", *price])
        board.remove()
        until(lambda: not running.screen()["card"])
        # The board dies while a card is asked for: the screen says so, and nothing is sold until there is one again.
        sale = running.pay(server.beer)
        board.dead = True
        until(lambda: running.screen()["reader"] == "lost")
        assert running.screen()["phase"] == "present_card"
        board.unplug()
        board.present(Ntag213(bytes.fromhex(AWA)))
        board.plug()
        until(lambda: running.screen()["reader"] == "ok")
        assert running.result(sale)["reason"] is None
    assert len(server.sold) == 2
