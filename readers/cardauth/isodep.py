"""ISO/IEC 14443-4: the half-duplex block protocol, the reader's side, without CID and NAD.

A lost or damaged block is asked for again, twice at most; a card that asks for more time gets it, but not for ever. So
every call ends after a bounded number of blocks, whatever the card says.
"""

from __future__ import annotations

from readers.cardauth.errors import Exchange, Malformed
from readers.taps import CardSilent, Garbled

# Frame sizes by FSDI and FSCI (ISO/IEC 14443-4, table 1), CRC and block header included.
_FRAME_SIZES = (16, 24, 32, 40, 48, 64, 96, 128, 256)
_OVERHEAD = 3
# What we take: 256 bytes, which nfcpy's readers can.
_RATS = b"\xe0\x80"
_RESENDS = 2
_BLOCKS_MAX = 64
_ANSWER_MAX = 4096

_I, _CHAINED, _R_ACK, _R_NAK, _S_WTX = 0x02, 0x10, 0xA2, 0xB2, 0xF2


class IsoDep:
    """One activated card. `transceive` takes commands of any length."""

    def __init__(self, exchange: Exchange) -> None:
        """Ask the card for its ATS. Raises Malformed, CardSilent, ReaderFault."""
        self._exchange = exchange
        self._number = 0
        self._chunk = _frame_size(exchange(_RATS)) - _OVERHEAD

    def transceive(self, command: bytes) -> bytes:
        """Send one command APDU, return its answer. Raises Malformed, CardSilent, ReaderFault."""
        answer = b""
        parts = [command[at : at + self._chunk] for at in range(0, len(command), self._chunk)] or [b""]
        for part in parts[:-1]:
            kind, _ = self._converse(bytes([_I | _CHAINED | self._number]) + part)
            if kind & 0xF6 != _R_ACK:
                raise Malformed("the card does not acknowledge a part of the command")
            self._number ^= 1
        kind, data = self._converse(bytes([_I | self._number]) + parts[-1])
        while True:
            if kind & 0xE2 != _I:
                raise Malformed("the card acknowledges where it should answer")
            answer += data
            self._number ^= 1
            if not kind & _CHAINED:
                return answer
            if len(answer) > _ANSWER_MAX:
                raise Malformed("the card's answer has no end")
            kind, data = self._converse(bytes([_R_ACK | self._number]))

    def _converse(self, block: bytes) -> tuple[int, bytes]:
        """Send a block until the card has understood it. Its I-block or R(ACK) with our number: first byte, data."""
        sending, resends, garbled = block, 0, False
        for _ in range(_BLOCKS_MAX):
            try:
                got = self._exchange(sending)
            except CardSilent as error:
                got, garbled = b"", garbled or isinstance(error, Garbled)
            if got and got[0] & 0xFE == _S_WTX & 0xFE and len(got) == 2:
                sending = bytes([_S_WTX, got[1] & 0x3F])
                continue
            if got and self._understood(got):
                return got[0], got[1:]
            if resends == _RESENDS:
                # What the reader's line damaged says nothing of the card.
                raise (Garbled if garbled else CardSilent)("the card gives no answer that can be read")
            resends += 1
            # R(ACK) with the other number: the card has not seen our block. Otherwise we have not seen its answer.
            lost = got[:1] == bytes([_R_ACK | self._number ^ 1])
            sending = block if lost or block[0] & 0xE6 == _R_ACK else bytes([_R_NAK | self._number])
        raise Malformed("the card asks for more and more time")

    def _understood(self, got: bytes) -> bool:
        kind, number = got[0] & 0xFE, got[0] & 1
        return number == self._number and (kind & ~_CHAINED == _I or (kind == _R_ACK and len(got) == 1))


def _frame_size(ats: bytes) -> int:
    """The longest frame that the card takes, from its ATS (ISO/IEC 14443-4, 5.2)."""
    if not ats or ats[0] != len(ats):
        raise Malformed("the card's ATS has another length than it says")
    if len(ats) == 1:
        return _FRAME_SIZES[2]
    return _FRAME_SIZES[min(ats[1] & 0x0F, len(_FRAME_SIZES) - 1)]
