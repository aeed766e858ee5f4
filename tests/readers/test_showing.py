"""What the customer is shown at the reader."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from app.rules.offline import Refusal
from readers.showing import shown_at_the_reader
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
