"""A card that speaks the block protocol of ISO/IEC 14443-4, under any chip that answers APDUs."""

from __future__ import annotations

from readers.cardauth.card_side import CardSide
from readers.emulator.cards import UidCard


class IsoDepCard(UidCard):
    """`apdu` is the chip; all else is the way to it."""

    sel_res = b"\x20"

    def __init__(self, uid: bytes) -> None:
        super().__init__(uid)
        self._blocks = CardSide(self.apdu)

    def apdu(self, command: bytes) -> bytes:
        raise NotImplementedError

    def power_on(self) -> None:
        self._blocks.restart()

    def process(self, command: bytes) -> bytes | None:
        return self._blocks.process(command)
