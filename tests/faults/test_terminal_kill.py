"""kill -9 of a whole terminal at random instants of a sale: what was green is booked, once, and nothing else is."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from readers.emulator.cards import Ntag213
from readers.emulator.field import UdpCardField
from tests.readers.agent.processes import TerminalProcess, on_loopback, until
from tests.readers.sync.fake_server import CODE, STRONG, FakeServer

pytestmark = pytest.mark.faults

KILLS = 4


def test_a_terminal_killed_in_the_middle_of_a_sale_loses_and_doubles_nothing(tmp_path: Path) -> None:
    server = FakeServer()
    server.balances[STRONG]["RAF"] = 10**6
    chance = random.Random(7)
    green: set[str] = set()
    with on_loopback(server) as url, UdpCardField() as field:
        for _ in range(KILLS):
            with TerminalProcess(tmp_path / "data", url, field, CODE) as running:
                running.ready()
                green.add(running.tap(STRONG, server.beer)["sale"])
                until(lambda: running.screen()["phase"] == "ready" or not running.screen()["hint"])
                running.pay(server.beer)
                field.present(Ntag213(bytes.fromhex(STRONG)))
                time.sleep(chance.random() * 0.12)
                running.process.kill()
                running.process.wait()
                field.remove()
        with TerminalProcess(tmp_path / "data", url, field, CODE) as running:
            running.ready()
            until(lambda: running.screen()["waiting"] == 0)
            journalled = {past["sale"] for past in running.screen()["last_sales"] if not past["voided"]}
    standing = {str(sale) for sale in server.standing()}
    assert green <= standing, "a green light is a booked sale"
    assert standing == journalled, "what is booked is what the terminal says it sold"
    assert 10**6 - server.balances[STRONG]["RAF"] == 450 * len(standing)
