"""SIGKILL of a real terminal at named moments of a sale: after its next start nothing is lost and nothing is twice.

Real processes: `comptoir terminal` with its driver, journal and pages, and the real server behind a real port. The
moments are found from outside of the program (tests.support.forge, tests.support.hall). Compared to the cent: what the
light said, the terminal's journal, the server's ledger, and what is left on the card.
"""

from __future__ import annotations

import contextlib
import time

import httpx
import pytest

from readers.emulator.cards import Ntag213
from readers.emulator.field import UdpCardField
from tests.support.hall import PATIENCE_S, Agent, Hall, Terminal
from tests.support.network import CARDS

pytestmark = pytest.mark.faults

PRICE = 350
# How long a hand leaves a card on a reader that says nothing, and how long it lifts it.
LAID_S, LIFTED_S = 5, 1
# Twelve sales for each of three moments, and one more.
SALES_MAX, FUNDS = 12, 15000

# By the file system and the trace of its journal: before the row is written, written and not durable, durable.
# By the server ("arrived", "booked", "half sent"): it has the request whole, or has booked it, and nobody hears.
MOMENTS = {
    "intent": ["intent made", "intent syncing", "intent durable"],
    "sale": ["sale made", "sale syncing", "sale durable"],
    "line": ["sale arrived", "sale booked", "rows arrived", "rows booked", "snapshot half sent"],
    "acknowledgement": ["acknowledgement made", "acknowledgement syncing", "acknowledgement durable"],
    "checkpoint": ["checkpoint written", "checkpoint syncing", "checkpoint durable"],
    "snapshot": ["snapshot being installed", "snapshot being written", "snapshot being renamed"],
}


@pytest.mark.parametrize("moments", MOMENTS.values(), ids=MOMENTS)
def test_a_terminal_killed_at_these_moments_loses_and_doubles_nothing(
    moments: list[str], hall: Hall, terminal: Terminal, field: UdpCardField
) -> None:
    hall.top_up("awa", FUNDS)
    before, green = hall.holds("awa"), set[str]()
    for moment in moments:
        with terminal.running(field, deadly=True) as agent:
            _agrees(agent, terminal, green)
            _sell_until_it_dies(agent, terminal, moment, green)
    with terminal.running(field) as agent:
        _agrees(agent, terminal, green)
        green.add(agent.tap(CARDS["awa"], hall.product("Demi"))["sale"])
        agent.delivered()
    booked = terminal.booked()
    assert booked == terminal.sold(), "what is booked is what the journal says"
    assert green <= {str(sale) for sale in booked}, "a green light is a booked sale"
    assert set(booked.values()) == {PRICE}
    assert before - hall.holds("awa") == PRICE * len(booked), "each was taken once"
    assert hall.do(hall.network.exceptions()) == []


def _agrees(agent: Agent, terminal: Terminal, green: set[str]) -> None:
    """Back, and delivered: staff see what the server has booked, and every green sale is there."""
    agent.ready()
    agent.delivered()
    if not green:
        return
    seen = {past["sale"] for past in agent.screen()["last_sales"] if not past["voided"]}
    assert seen == {str(sale) for sale in terminal.booked()} >= green


def _sell_until_it_dies(agent: Agent, terminal: Terminal, moment: str, green: set[str]) -> None:
    """One sale after the other, for some moments come only now and then; at most as many as the card pays."""
    hall, at_the_server = terminal.hall, moment in MOMENTS["line"]
    if at_the_server:
        hall.gate.told = lambda now: agent.kill() if now == moment else None
    else:
        terminal.arm(moment)
    for _ in range(SALES_MAX):
        with contextlib.suppress(httpx.HTTPError):
            sale = agent.pay(hall.product("Demi"))
            if _lights(agent, sale):
                green.add(sale)
        agent.field.remove()
        if agent.is_gone(0.3):
            break
    hall.gate.told = lambda _: None
    assert agent.is_gone(PATIENCE_S)
    assert terminal.died_at() == (None if at_the_server else moment)


def _lights(agent: Agent, sale: str) -> bool:
    """Whether it turned green; not if the terminal died. A card that was lifted and laid down again so soon that the
    reader never missed it is laid down once more, as a hand does."""
    ends_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends_s:
        agent.field.present(Ntag213(bytes.fromhex(CARDS["awa"])))
        laid_s = time.monotonic()
        while time.monotonic() < laid_s + LAID_S:
            if agent.is_gone():
                return False
            if (result := agent.screen()["result"]) and result["asked"] == sale:
                assert result["reason"] is None
                return True
        agent.field.remove()
        if agent.is_gone(LIFTED_S):
            return False
    raise AssertionError(f"no light for {sale}")
