"""A terminal whose wall clock is a day off, or is set in the middle of the night: real processes, shifted time.

Each sale counts to the day on which it was made, in the order in which it was made, and the server notices the skew.
"""

from __future__ import annotations

import time

import pytest

from readers.emulator.field import UdpCardField
from tests.readers.agent.processes import until
from tests.support.hall import Agent, Hall, Terminal
from tests.support.network import CARDS

pytestmark = pytest.mark.faults

DAY_S = 86_400
NEAR_S = 60


def sold(agent: Agent, hall: Hall) -> dict[str, object]:
    result = agent.tap(CARDS["awa"], hall.product("Eau"))
    assert result["reason"] is None
    return result


def counted_rightly(terminal: Terminal, sales: list[dict[str, object]], began_us: int) -> None:
    """All of them stand, in this order, today, at the time that it was."""
    hall = terminal.hall
    booked = hall.standing(terminal.device)
    venue, now_us = hall.network.venues["raffinerie"], time.time_ns() // 1000
    assert [str(sale) for sale in booked] == [sale["sale"] for sale in sales]
    times = [it.at_us for it in booked.values()]
    assert times == sorted(times)
    assert began_us - 2_000_000 <= times[0] <= times[-1] <= now_us + 2_000_000
    assert {it.day for it in booked.values()} <= {venue.day_of(began_us), venue.day_of(now_us)}
    assert not any(it.late for it in booked.values())
    assert hall.do(hall.network.exceptions()) == []


@pytest.mark.parametrize("off_s", [DAY_S, -DAY_S], ids=["a day ahead", "a day behind"])
def test_a_clock_that_is_a_day_off_changes_no_day_and_is_noticed(
    off_s: float, hall: Hall, terminal: Terminal, field: UdpCardField
) -> None:
    hall.top_up("awa", 1000)
    began_us = time.time_ns() // 1000
    terminal.shift(off_s)
    with hall.cable() as line, terminal.running(field, shifted=True, url=line.url) as agent:
        agent.ready()
        sales = [sold(agent, hall)]
        line.unplug()
        until(lambda: not agent.screen()["online"])
        sales += [sold(agent, hall), sold(agent, hall)]
        assert [sale["offline"] for sale in sales] == [False, True, True]
        assert agent.screen()["clock_skewed"]
        line.plug()
        agent.delivered()
        until(lambda: abs(hall.skew_s(terminal.device) - off_s) < NEAR_S)
        assert [past["sale"] for past in agent.screen()["last_sales"]] == [sale["sale"] for sale in reversed(sales)]
    counted_rightly(terminal, sales, began_us)


def test_a_clock_that_is_set_during_the_night_turns_no_sale_into_another_day_s(
    hall: Hall, terminal: Terminal, field: UdpCardField
) -> None:
    """The network is away all the time, so that nobody tells the terminal what time it is; it is even started anew."""
    hall.top_up("awa", 1000)
    began_us = time.time_ns() // 1000
    with hall.cable() as line:
        with terminal.running(field, shifted=True, url=line.url) as agent:
            agent.ready()
            sales = [sold(agent, hall)]
            line.unplug()
            until(lambda: not agent.screen()["online"])
            for off_s in (DAY_S, -DAY_S):
                terminal.shift(off_s)
                sales.append(sold(agent, hall))
            assert agent.screen()["clock_skewed"]
        terminal.shift(2 * DAY_S)
        with terminal.running(field, shifted=True, url=line.url) as agent:
            until(lambda: agent.screen()["reader"] == "ok")
            agent.sign_in()
            sales.append(sold(agent, hall))
            terminal.shift(0)
            sales.append(sold(agent, hall))
            line.plug()
            agent.delivered()
            assert not agent.screen()["clock_skewed"]
    assert [sale["offline"] for sale in sales] == [False, True, True, True, True]
    counted_rightly(terminal, sales, began_us)
