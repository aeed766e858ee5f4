"""The reader's cable is pulled while it reads a card, and put back: the real nfcpy driver in a real terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from readers.emulator.cards import Ntag213
from tests.readers.agent.processes import until
from tests.support.hall import Hall, Terminal
from tests.support.network import CARDS
from tests.support.pn532 import Pn532

pytestmark = pytest.mark.faults


def test_a_reader_that_is_pulled_while_it_reads_is_told_and_sells_again_when_it_is_back(
    hall: Hall, terminal: Terminal, tmp_path: Path
) -> None:
    hall.top_up("awa", 2000)
    before, demi = hall.holds("awa"), hall.product("Demi")
    with Pn532(tmp_path) as reader, terminal.running(reader) as agent:
        agent.ready()
        green = [agent.tap(CARDS["awa"], demi)["sale"]]
        until(lambda: not agent.screen()["card"])
        sale = agent.pay(demi)
        reader.pull_at_next_card()
        reader.present(Ntag213(bytes.fromhex(CARDS["awa"])))
        until(reader.was_pulled)
        until(lambda: agent.screen()["reader"] == "lost")
        screen = agent.screen()
        assert screen["phase"] == "present_card"
        assert screen["reader_reason"] in {"unplugged", "silent"}
        # The card lies there all the time; the sale was never decided, so it still asks for it.
        reader.plug()
        until(lambda: agent.screen()["reader"] == "ok")
        assert agent.result(sale)["reason"] is None
        reader.remove()
        green += [sale, agent.tap(CARDS["awa"], demi)["sale"]]
        agent.delivered()
    assert [str(it) for it in terminal.booked()] == green
    assert terminal.booked() == terminal.sold()
    assert before - hall.holds("awa") == 3 * 350
