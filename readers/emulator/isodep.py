"""The card's side of ISO/IEC 14443-4, under any chip that answers APDUs: blocks, chaining both ways, repeats."""

from __future__ import annotations

from readers.emulator.cards import UidCard

_FRAME_SIZES = (16, 24, 32, 40, 48, 64, 96, 128, 256)
_OVERHEAD = 3
# TL, T0: frames up to 256 bytes and three interface bytes; TA: 106 kbit/s only; TB: 77 ms to answer; TC: CID known.
_ATS = bytes.fromhex("0578008802")


class IsoDepCard(UidCard):
    """`apdu` is the chip; all else is the way to it."""

    sel_res = b"\x20"
    _heard: bytes
    _rest: bytes
    _last: bytes

    def __init__(self, uid: bytes) -> None:
        super().__init__(uid)
        self._restart()

    def apdu(self, command: bytes) -> bytes:
        raise NotImplementedError

    def power_on(self) -> None:
        self._restart()

    def process(self, command: bytes) -> bytes | None:
        first = command[0]
        if first == 0xE0 and len(command) == 2:
            self._restart()
            self._chunk = _FRAME_SIZES[min(command[1] >> 4, 8)] - _OVERHEAD
            return _ATS
        if not self._chunk:
            return None
        if first & 0xF7 == 0xC2:
            self._restart()
            return command[:1]
        if first & 0xF6 == 0xB2:
            same = first & 1 == self._number
            return self._last if same and self._last else bytes([0xA2 | self._number])
        if first & 0xF6 == 0xA2:
            return self._last if first & 1 == self._number else self._say_rest()
        if first & 0xE2 != 0x02:
            return None
        self._number ^= 1
        self._heard += command[1:]
        if first & 0x10:
            self._last = bytes([0xA2 | self._number])
            return self._last
        whole, self._heard = self._heard, b""
        self._rest = self.apdu(whole)
        return self._say()

    def _say_rest(self) -> bytes | None:
        if not self._rest:
            return None
        self._number ^= 1
        return self._say()

    def _say(self) -> bytes:
        part, self._rest = self._rest[: self._chunk], self._rest[self._chunk :]
        self._last = bytes([0x02 | (0x10 if self._rest else 0) | self._number]) + part
        return self._last

    def _restart(self) -> None:
        # The reader's first block has the number 0, so the number before it was 1.
        self._number = 1
        self._chunk = 0
        self._heard = b""
        self._rest = b""
        self._last = b""
