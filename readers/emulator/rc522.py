"""An MFRC522 on SPI (NXP data sheet rev. 3.9): its registers, its FIFO, and cards that collide in its field bit by bit.

A test instrument. What a talk in the air takes is not modelled: each is over when it was begun.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from operator import xor

from readers.emulator.cards import Card
from readers.emulator.pn532_chip import crc_a

_COMMAND, _COM_IRQ, _ERROR, _FIFO, _FIFO_LEVEL, _CONTROL, _BIT_FRAMING, _COLL = 1, 4, 6, 9, 10, 12, 13, 14
_TX_MODE, _RX_MODE, _TX_CONTROL, _VERSION = 18, 19, 20, 55
_IRQ_TIMER, _IRQ_RECEIVED = 0x01, 0x20
_COLLISION, _OVERFLOW = 0x08, 0x10
_FIFO_SIZE = 64
_REQA, _WUPA, _LEVELS, _CASCADE_TAG, _MORE = 0x26, 0x52, (0x93, 0x95, 0x97), b"\x88", b"\x04"


@dataclass
class _Laid:
    """A card in the field, in its state of ISO/IEC 14443-3."""

    card: Card
    halted: bool = False
    # How many levels of its UID have been selected; None: it was not called.
    ready: int | None = None
    active: bool = False
    parts: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        uid = self.card.uid
        while len(uid) > 4:
            self.parts.append(_CASCADE_TAG + uid[:3])
            uid = uid[3:]
        self.parts = [part + bytes([reduce(xor, part)]) for part in [*self.parts, uid]]

    def calm(self) -> None:
        """It heard what it does not expect."""
        self.ready, self.active = None, False


class Rc522OnSpi:
    """`transfer` is one selection of the chip. `dead`: nothing drives the line. `damage_next`: the next answer."""

    def __init__(self) -> None:
        self.dead = False
        self.damage_next = False
        self._registers = bytearray(64)
        self._fifo = bytearray()
        self._cards: list[_Laid] = []
        self._reset()

    def present(self, card: Card, other: Card | None = None) -> None:
        """Lay this card on the reader, or these two, in place of any other."""
        self._cards = [_Laid(it) for it in (card, other) if it is not None]
        self._power_on()

    def remove(self) -> None:
        self._cards = []

    def transfer(self, out: bytes) -> bytes:
        if self.dead:
            return b"\xff" * len(out)
        register = out[0] >> 1 & 0x3F
        if out[0] & 0x80:
            # Each byte out names the register whose value comes with the next one.
            return b"\x00" + bytes(self._read(address >> 1 & 0x3F) for address in out[:-1])
        for value in out[1:]:
            self._write(register, value)
        return bytes(len(out))

    def _read(self, register: int) -> int:
        if register == _FIFO:
            return self._fifo.pop(0) if self._fifo else 0
        if register == _FIFO_LEVEL:
            return len(self._fifo)
        return self._registers[register]

    def _write(self, register: int, value: int) -> None:
        if register == _FIFO:
            if len(self._fifo) < _FIFO_SIZE:
                self._fifo.append(value)
            else:
                self._registers[_ERROR] |= _OVERFLOW
        elif register == _FIFO_LEVEL:
            if value & 0x80:
                self._fifo.clear()
                self._registers[_ERROR] &= ~_OVERFLOW
        elif register == _COM_IRQ:
            self._registers[register] &= 0x7F if value & 0x80 else ~value & 0x7F
        elif register == _TX_CONTROL:
            was, self._registers[register] = self._registers[register], value
            if value & 3 and not was & 3:
                self._power_on()
        elif register == _COMMAND and value & 0x0F == 0x0F:
            self._reset()
        else:
            self._registers[register] = value
            if register == _BIT_FRAMING and value & 0x80 and self._registers[_COMMAND] & 0x0F == 0x0C:
                self._transceive(value & 7)

    def _reset(self) -> None:
        self._registers = bytearray(64)
        self._registers[_VERSION] = 0x92
        self._registers[_TX_CONTROL] = 0x80
        self._fifo.clear()

    def _power_on(self) -> None:
        for laid in self._cards:
            laid.card.power_on()
            laid.calm()
            laid.halted = False

    def _transceive(self, bits: int) -> None:
        frame = bytes(self._fifo)
        self._fifo.clear()
        self._registers[_ERROR] = self._registers[_CONTROL] = 0
        if not self._registers[_TX_CONTROL] & 3 or not frame:
            self._registers[_COM_IRQ] |= _IRQ_TIMER
            return
        answers = self._said(frame, bits)
        if not answers:
            self._registers[_COM_IRQ] |= _IRQ_TIMER
            return
        self._receive(answers)

    def _receive(self, answers: list[str]) -> None:
        """Bits as they come over the air, lowest of each byte first; where they differ, a collision."""
        size = min(len(answer) for answer in answers)
        collision = next((at for at in range(size) if len({answer[at] for answer in answers}) > 1), None)
        heard = answers[0]
        if collision is not None:
            self._registers[_ERROR] |= _COLLISION
            self._registers[_COLL] = (collision + 1) & 0x1F
            heard = heard[:collision] + "0" * (len(heard) - collision)
        heard = "0" * (self._registers[_BIT_FRAMING] >> 4 & 7) + heard
        self._registers[_CONTROL] = len(heard) % 8
        data = bytes(int(heard[at : at + 8][::-1], 2) for at in range(0, len(heard), 8))
        if self.damage_next:
            self.damage_next = False
            data = data[:-1] + bytes([data[-1] ^ 1])
        if len(data) > _FIFO_SIZE:
            self._registers[_ERROR] |= _OVERFLOW
        self._fifo.extend(data[:_FIFO_SIZE])
        self._registers[_COM_IRQ] |= _IRQ_RECEIVED

    def _said(self, frame: bytes, bits: int) -> list[str]:
        """What each card answers, in bits."""
        if bits == 7 and frame[0] in (_REQA, _WUPA):
            return [_bits(laid.card.sens_res) for laid in self._cards if self._called(laid, wake=frame[0] == _WUPA)]
        if frame[0] in _LEVELS and len(frame) > 1 and frame[1] < 0x70:
            return self._anticollision(_LEVELS.index(frame[0]), frame, bits)
        if not self._registers[_TX_MODE] & 0x80:
            return []
        if frame[0] in _LEVELS and frame[1:2] == b"\x70":
            return self._select(_LEVELS.index(frame[0]), frame[2:])
        answers = []
        for laid in self._cards:
            if not laid.active or getattr(laid.card, "gone", False):
                laid.calm()
            elif frame == b"\x50\x00":
                laid.halted = True
                laid.calm()
            elif answer := laid.card.process(frame):
                four_bits = len(answer) == 1 and answer[0] < 0x10
                answers.append(_bits(answer)[:4] if four_bits else _bits(answer + crc_a(answer)))
        return answers

    @staticmethod
    def _called(laid: _Laid, *, wake: bool) -> bool:
        if getattr(laid.card, "gone", False) or laid.active or (laid.halted and not wake):
            laid.calm()
            return False
        laid.ready = 0
        return True

    def _anticollision(self, level: int, frame: bytes, bits: int) -> list[str]:
        known = (frame[1] >> 4) * 8 + (frame[1] & 7) - 16
        asked = _bits(frame[2:])[:known]
        if len(frame) != 2 + (known + 7) // 8 or bits != known % 8:
            return []
        parts = [_bits(laid.parts[level]) for laid in self._cards if laid.ready == level]
        return [part[known:] for part in parts if part.startswith(asked)]

    def _select(self, level: int, part: bytes) -> list[str]:
        answers = []
        for laid in self._cards:
            if laid.ready != level or laid.parts[level] != part:
                laid.calm()
                continue
            laid.ready = level + 1
            laid.active = laid.ready == len(laid.parts)
            sak = laid.card.sel_res if laid.active else _MORE
            answers.append(_bits(sak + crc_a(sak)))
        return answers


def _bits(data: bytes) -> str:
    return "".join(f"{byte:08b}"[::-1] for byte in data)
