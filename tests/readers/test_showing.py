"""What the customer is shown at the reader."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, cast
from uuid import UUID

import pytest

from app.rules.offline import Refusal
from readers.showing import follow, shown_at_the_reader
from readers.taps import Signal
from readers.terminal.view import Amount, Result, Screen, Taken

ID = UUID(int=1)
READY = Screen("ready", "Bar", "Till 1", None, True, None, 0, 0, "ok", None, 1.0, False, False)
PRICE = (Amount("EUR", 1250), Amount("RAF", 50))
PAID = Result(
    ID, ID, "04A1", PRICE, None, False, (Amount("EUR", 2750), Amount("RAF", 0)), 0, (Taken("card", "EUR", 1250),)
)
ASKED = replace(READY, phase="present_card", pending=PRICE)


@pytest.mark.parametrize(
    ("screen", "signal"),
    [
        (READY, Signal("off")),
        (ASKED, Signal("card", ("12.50 EUR", "0.50 RAF"))),
        (replace(ASKED, phase="checking"), Signal("card", ("12.50 EUR", "0.50 RAF"))),
        (replace(ASKED, hint="two_cards"), Signal("trouble", ("12.50 EUR", "0.50 RAF"))),
        (
            replace(READY, phase="paid", result=PAID),
            Signal("paid", ("OK", "12.50 EUR", "= 27.50 EUR", "= 0.00 RAF")),
        ),
        (
            replace(READY, phase="paid", result=replace(PAID, taken=(), balances=None)),
            Signal("paid", ("OK", "12.50 EUR", "0.50 RAF")),
        ),
        (
            replace(READY, phase="refused", result=replace(PAID, reason=Refusal.INSUFFICIENT_FUNDS)),
            Signal("refused", ("X",)),
        ),
    ],
)
def test_the_light_and_the_figures_follow_the_staff_screen(screen: Screen, signal: Signal) -> None:
    assert shown_at_the_reader(screen, lambda minor, code: f"{minor / 100:.2f} {code}") == signal


class Changing:
    """A till whose screen shows one thing after the other, a shelf without a snapshot, and a reader."""

    shop = None

    def __init__(self, *screens: Screen) -> None:
        self.screens = list(screens)
        self.shown: list[Signal] = []
        self.over = asyncio.Event()

    async def wait_change(self, seen: int, timeout_s: float) -> int:
        if not self.screens:
            self.over.set()
            await asyncio.sleep(timeout_s)
        return seen + 1

    def screen(self) -> Screen:
        return self.screens.pop(0)

    def show(self, signal: Signal) -> None:
        self.shown.append(signal)


async def test_the_reader_is_told_at_each_change_also_before_there_are_prices() -> None:
    all_in_one = Changing(READY, ASKED)
    following = asyncio.create_task(follow(*cast("tuple[Any, Any, Any]", (all_in_one,) * 3)))
    await all_in_one.over.wait()
    following.cancel()
    assert all_in_one.shown == [Signal("off"), Signal("card", ("1250 EUR", "50 RAF"))]
