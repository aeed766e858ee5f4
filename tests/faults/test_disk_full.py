"""No room for the journal: a real terminal says so in words, sells nothing without its journal, and goes on by itself.

The disk is full as the kernel tells a process whose files may not grow (RLIMIT_FSIZE, set from outside; the error is
EFBIG where a full file system says ENOSPC, and SQLite rolls back alike): journal, logs and snapshot all meet it.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from readers.emulator.cards import Ntag213
from readers.emulator.field import UdpCardField
from tests.readers.agent.processes import until
from tests.support.hall import Agent, Hall, Terminal
from tests.support.network import CARDS

pytestmark = pytest.mark.faults


@contextmanager
def no_room(agent: Agent) -> Iterator[None]:
    most = resource.prlimit(agent.pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(agent.pid, resource.RLIMIT_FSIZE, (1, most))
    try:
        yield
    finally:
        resource.prlimit(agent.pid, resource.RLIMIT_FSIZE, (most, most))


def refused(agent: Agent, command: str, **body: object) -> None:
    answer = agent.post(command, **body)
    assert (answer.status_code, answer.json()["reason"]) == (409, "journal_failed")


def test_a_full_disk_stops_the_sale_and_not_the_terminal(hall: Hall, terminal: Terminal, field: UdpCardField) -> None:
    hall.top_up("awa", 2000)
    before, demi = hall.holds("awa"), hall.product("Demi")
    with hall.cable() as line, terminal.running(field, url=line.url) as agent:
        agent.ready()
        green = [agent.tap(CARDS["awa"], demi)["sale"]]
        agent.delivered()

        with no_room(agent):
            refused(agent, "pay", items=[{"product": str(demi), "quantity": 1}], currency="RAF")
            refused(agent, "void", sale=green[0], reason="Erreur")
            assert agent.screen()["reader"] == "ok"
        green.append(agent.tap(CARDS["awa"], demi)["sale"])
        agent.delivered()

        # Full between the intent and the sale: the server books it, and what nobody saw green is taken back.
        for offline in (False, True):
            until(lambda: not agent.screen()["card"])
            if offline:
                line.unplug()
                until(lambda: not agent.screen()["online"])
            sale = agent.pay(demi)
            with no_room(agent):
                result = _presented(agent, sale)
                assert result["reason"] == "journal-failed"
            line.plug()
            # Nobody touches the terminal: it takes back by itself what the server may have booked.
            until(lambda: agent.screen()["online"] and set(map(str, terminal.booked())) == set(green))
            agent.post("dismiss").raise_for_status()

        green.append(agent.tap(CARDS["awa"], demi)["sale"])
        agent.delivered()
        assert "Traceback" not in (terminal.folder / "terminal.log").read_text()
    assert {str(sale) for sale in terminal.booked()} == set(green)
    assert terminal.booked() == terminal.sold()
    assert before - hall.holds("awa") == 3 * 350


def _presented(agent: Agent, sale: str) -> dict[str, object]:
    agent.field.present(Ntag213(bytes.fromhex(CARDS["awa"])))
    try:
        return agent.result(sale)
    finally:
        agent.field.remove()
