"""The card's side of ISO/IEC 14443-4, in front of whatever answers APDUs: blocks, chaining both ways, repeats."""

from __future__ import annotations

from collections.abc import Callable

_FRAME_SIZES = (16, 24, 32, 40, 48, 64, 96, 128, 256)
_OVERHEAD = 3
# TL, T0: frames up to 256 bytes and three interface bytes; TA: 106 kbit/s only; TB: 77 ms to answer; TC: CID known.
_ATS = bytes.fromhex("0578008802")


class CardSide:
    """`apdu` answers one command; all else is the way to it."""

    def __init__(self, apdu: Callable[[bytes], bytes]) -> None:
        self._apdu = apdu
        self.restart()

    def restart(self) -> None:
        """The field came up anew, or the card was deselected: nothing is under way, and a RATS is waited for."""
        # The reader's first block has the number 0, so the number before it was 1.
        self._number = 1
        self._chunk = 0
        self._heard = b""
        self._rest = b""
        self._last = b""

    def process(self, frame: bytes) -> bytes | None:
        """The answer's frame, or None where a card stays silent."""
        first = frame[0]
        if first == 0xE0 and len(frame) == 2:
            self.restart()
            self._chunk = _FRAME_SIZES[min(frame[1] >> 4, 8)] - _OVERHEAD
            return _ATS
        if not self._chunk:
            return None
        if first & 0xF7 == 0xC2:
            self.restart()
            return frame[:1]
        if first & 0xF6 == 0xB2:
            same = first & 1 == self._number
            return self._last if same and self._last else bytes([0xA2 | self._number])
        if first & 0xF6 == 0xA2:
            return self._last if first & 1 == self._number else self._say_rest()
        if first & 0xE2 != 0x02:
            return None
        self._number ^= 1
        self._heard += frame[1:]
        if first & 0x10:
            self._last = bytes([0xA2 | self._number])
            return self._last
        whole, self._heard = self._heard, b""
        self._rest = self._apdu(whole)
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
