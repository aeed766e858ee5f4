"""What goes wrong between a card and us.

    CardTrouble
    ├ NotProven   the card does not know the key, or an answer was changed on its way: what it says is worth nothing
    ├ Refused     the card understood and declined; `status` is its own code
    └ Malformed   these bytes are no answer to what was asked

A card that left the field is `readers.taps.CardSilent`, a broken reader `ReaderFault`; both come from the exchange.
"""

from __future__ import annotations

from collections.abc import Callable

Exchange = Callable[[bytes], bytes]
"""Sends one frame without its CRC and returns the answer's. Raises CardSilent or ReaderFault."""

Draw = Callable[[int], bytes]
"""So many random bytes."""


class CardTrouble(Exception):
    """The card cannot be used for what was asked. The message is an English sentence for the log; it holds no key."""


class NotProven(CardTrouble):
    pass


class Malformed(CardTrouble):
    pass


class Refused(CardTrouble):
    def __init__(self, command: str, status: int) -> None:
        super().__init__(f"the card refuses {command} with status {status:02X}")
        self.status = status
