"""A copied memory card in two real terminals, and processes that stop in the middle of a sale and go on."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from pathlib import Path
from uuid import UUID

import pytest

from readers.emulator.cards import Ntag213
from readers.emulator.field import UdpCardField
from tests.readers.agent.processes import until
from tests.support.hall import Agent, Hall, Terminal
from tests.support.network import CARDS

pytestmark = pytest.mark.faults

PRICE = 350
# Longer than a tap waits for the server (0.4 s), shorter than anybody gives up.
PAUSE_S = 1.0
# The terminal waits for a shorter time than the pause is.
NO_PATIENCE_MS = 400


def test_a_copied_card_in_two_terminals_is_quarantined_and_both_branches_are_booked_once(
    hall: Hall, terminal: Terminal, field: UdpCardField, tmp_path: Path
) -> None:
    hall.top_up("awa", 5000)
    before, demi = hall.holds("awa"), hall.product("Demi")
    with terminal.running(field) as agent:
        agent.ready()
        green = {agent.tap(CARDS["awa"], demi)["sale"]}
        agent.delivered()
    copy = hall.terminal(tmp_path / "copy", terminal.name)
    shutil.copytree(terminal.data, copy.data)

    with hall.cable() as line, UdpCardField() as other:
        # Neither hears of the server before both have sold.
        line.unplug()
        with terminal.running(field, url=line.url) as first, copy.running(other, url=line.url) as second:
            for agent, sales in ((first, 1), (second, 2)):
                until(lambda agent=agent: agent.screen()["reader"] == "ok")  # type: ignore[misc]
                agent.sign_in()
                for _ in range(sales):
                    result = agent.tap(CARDS["awa"], demi)
                    assert (result["reason"], result["offline"]) == (None, True)
                    green.add(result["sale"])
            line.plug()
            for agent in (first, second):
                until(lambda agent=agent: (now := agent.screen())["online"] and not now["waiting"])  # type: ignore[misc]
            for agent in (first, second):
                _sells_no_more(agent, demi)
    device = terminal.device
    # The branch that came first is booked; the other one is kept, and waits for a person with all of it.
    assert 2 <= len(terminal.booked()) < len(green)
    ((kind, details),) = hall.do(hall.network.exceptions())
    assert (kind, details["name"]) == ("forked-journal", terminal.name)
    for _ in range(2):
        hall.do(_book_all(hall, device))
        booked = terminal.booked()
        assert {str(sale) for sale in booked} == green, "each once, however often it is asked for"
        assert before - hall.holds("awa") == PRICE * len(green)
    assert {*terminal.sold(), *copy.sold()} == set(booked)
    assert hall.do(hall.network.exceptions()) == []


def _sells_no_more(agent: Agent, product: UUID) -> None:
    """The one whose rows came first finds out by the next sale. Whose journal is shorter than what the server holds
    does not even write an intent."""
    asked = agent.post("pay", items=[{"product": str(product), "quantity": 1}], currency="RAF")
    if asked.status_code == 409:
        assert asked.json()["reason"] == "journal_failed"
    else:
        agent.field.present(Ntag213(bytes.fromhex(CARDS["awa"])))
        assert agent.result(asked.json()["sale"])["reason"] == "terminal-halted"
        agent.field.remove()
    until(lambda: agent.screen()["quarantined"])


async def _book_all(hall: Hall, device: UUID) -> None:
    """Press the button of the review's page."""
    client = await hall.network.person("marie")
    data = {"act": "book_all", "reason": "Both bars sold"}
    answer = await client.post(f"/admin/terminals/{device}/review", data=data, headers={"Accept": "text/html"})
    assert answer.status_code == 303, answer.text


@pytest.mark.parametrize("who", ["terminal", "server"])
@pytest.mark.parametrize("moment", ["sale arrived", "sale booked"])
def test_whoever_stops_in_the_middle_of_a_sale_it_is_green_and_booked_once(
    who: str, moment: str, hall: Hall, terminal: Terminal, field: UdpCardField
) -> None:
    hall.top_up("awa", 2000)
    before = hall.holds("awa")
    with terminal.running(field, deadline_ms=NO_PATIENCE_MS) as agent:
        agent.ready()
        agent.delivered()
        stops = [_stopped(agent) if who == "terminal" else lambda: time.sleep(PAUSE_S)]

        def told(now: str) -> None:
            if now == moment and stops:
                stops.pop()()

        hall.gate.told = told
        sale = agent.pay(hall.product("Demi"))
        field.present(Ntag213(bytes.fromhex(CARDS["awa"])))
        result = agent.result(sale)
        field.remove()
        hall.gate.told = lambda _: None
        assert not stops
        assert result["reason"] is None
        # A server that is stopped is not waited for; a terminal that was stopped itself may have its answer.
        assert result["offline"] or who == "terminal"
        agent.delivered()
        assert [past["sale"] for past in agent.screen()["last_sales"]] == [sale]
    assert {str(it): amount for it, amount in terminal.booked().items()} == {sale: PRICE}
    assert terminal.booked() == terminal.sold()
    assert before - hall.holds("awa") == PRICE
    assert hall.do(hall.network.exceptions()) == []


def _stopped(agent: Agent):  # type: ignore[no-untyped-def]
    """SIGSTOP now, and SIGCONT from a thread of its own: meanwhile the server goes on with its request."""

    def stop() -> None:
        agent.signal(signal.SIGSTOP)
        threading.Timer(PAUSE_S, lambda: agent.signal(signal.SIGCONT)).start()

    return stop
