"""The hand that lays a card on a reader and takes it away in time."""

from __future__ import annotations

import asyncio

from readers.emulator.cards import Card
from readers.emulator.field import UdpCardField

# A card that comes back before the reader was sure that it had left would not be seen anew. The reader is sure after
# two looks at an empty field (readers/taps/presence.py), usually 0.15 s; where no reader looks, the hand gives up.
EMPTY_LOOKS = 2
GIVE_UP_S = 0.8
_CHECK_S = 0.02


class Hand:
    """One reader's hand. All calls come from one event loop; `field` is not owned."""

    def __init__(self, field: UdpCardField) -> None:
        self._field = field
        self._turn = 0
        self._timer: asyncio.TimerHandle | None = None
        self._emptied = False

    @property
    def card(self) -> Card | None:
        return self._field.card

    @property
    def leaves_in_s(self) -> float | None:
        """Seconds until the card is taken away by itself; None when it stays, or none is there."""
        if self._timer is None:
            return None
        return max(0.0, self._timer.when() - asyncio.get_running_loop().time())

    async def present(self, card: Card, for_s: float | None) -> None:
        """Lay `card` down for `for_s` seconds (None: until removed), after taking away what lies there.

        Another call meanwhile overrides this one.
        """
        self.remove()
        self._turn += 1
        turn = self._turn
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + GIVE_UP_S
        while self._emptied and self._field.empty_looks < EMPTY_LOOKS and loop.time() < give_up_at:
            await asyncio.sleep(_CHECK_S)
            if turn != self._turn:
                return
        self._field.present(card)
        if for_s is not None:
            self._timer = loop.call_later(for_s, self.remove)

    def remove(self) -> None:
        """Take away the card, if there is one, and forget one that was about to be laid down."""
        self._turn += 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._field.card is not None:
            self._field.remove()
            self._emptied = True
