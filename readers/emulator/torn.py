"""A hand that takes the card away in the middle: at any one command, before the card hears it or before its answer."""

from __future__ import annotations

from readers.emulator.cards import Card


class Torn:
    """`card`, gone at its `at`-th command (from 0). `heard`: it has done what it was told, and only its answer is lost.

    Gone is gone: it stays silent, and `uid` does not answer either, until `put_back`. `commands` counts what it heard.
    """

    def __init__(self, card: Card, at: int, *, heard: bool = False) -> None:
        self._card = card
        self._at: int | None = at
        self._heard = heard
        self.commands = 0
        self.gone = False

    @property
    def uid(self) -> bytes:
        return self._card.uid

    @property
    def sens_res(self) -> bytes:
        return self._card.sens_res

    @property
    def sel_res(self) -> bytes:
        return self._card.sel_res

    def power_on(self) -> None:
        if not self.gone:
            self._card.power_on()

    def process(self, command: bytes) -> bytes | None:
        if self.gone:
            return None
        self.gone = self.commands == self._at
        if self.gone and not self._heard:
            return None
        self.commands += 1
        answer = self._card.process(command)
        return None if self.gone else answer

    def put_back(self) -> None:
        """Lay it down again, to stay."""
        self.gone, self._at = False, None
        self._card.power_on()
