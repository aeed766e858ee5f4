"""What the customer is shown at the reader, from what the staff screen shows. Figures, as it has no language."""

from __future__ import annotations

from collections.abc import Callable

from readers.taps import Light, Reader, Signal
from readers.terminal.slip import Shown
from readers.terminal.view import Screen
from readers.till import CardTill, SnapshotShelf

_LANGUAGE = "fr"
_LOOK_S = 60.0
# Four lines below the large one are all that a small display has.
_LINES_MAX = 5

Written = Callable[[int, str], str]
"""An amount in minor units of a currency, as text."""


def shown_at_the_reader(screen: Screen, written: Written) -> Signal:
    """The light, and the amounts that it is about: what is asked for; what was taken, and what the card still holds."""
    result = screen.result
    lines: list[str] = []
    light: Light = "off"
    if screen.phase in ("present_card", "checking"):
        light = "trouble" if screen.hint else "card"
        lines = [written(it.minor, it.currency) for it in screen.pending]
    elif screen.phase == "paid" and result is not None:
        light = "paid"
        taken = result.taken or result.price
        held = result.balances or ()
        lines = [
            "OK",
            *(written(it.minor, it.currency) for it in taken),
            *(f"= {written(it.minor, it.currency)}" for it in held),
        ]
    elif screen.phase == "refused":
        light, lines = "refused", ["X"]
    return Signal(light, tuple(lines[:_LINES_MAX]))


async def follow(till: CardTill, shelf: SnapshotShelf, reader: Reader) -> None:
    """Have the reader show what the staff screen shows, for as long as this runs."""
    seen = -1
    while True:
        seen = await till.wait_change(seen, _LOOK_S)
        shop = shelf.shop
        written: Written = Shown(shop.snapshot, _LANGUAGE).amount if shop else _as_it_is
        reader.show(shown_at_the_reader(till.screen(), written))


def _as_it_is(minor: int, currency: str) -> str:
    return f"{minor} {currency}"
