"""What a PN532 does with a card, whatever line its host is on, and the frames on all of them (NXP UM0701-02)."""

from __future__ import annotations

import time

from readers.emulator.cards import Card

ACK = bytes.fromhex("0000ff00ff00")
SYNTAX_ERROR = b"\x7f"
_FIFO, _RX_MODE = 0x6339, 0x6303
_CRC_CHECKED, _SENS_REQ = 0x80, 0x26
_FIRMWARE = bytes.fromhex("32010607")
_TIMED_OUT = b"\x01"


class Pn532Chip:
    """The chip before one field; `present` and `remove` are what a hand does. `commands` counts.

    `rf_ms`: what each talk with a card takes in the air.
    """

    def __init__(self, rf_ms: float) -> None:
        self.rf_ms = rf_ms
        self.commands = 0
        self._card: Card | None = None
        self._other: Card | None = None
        self._selected: Card | None = None
        self._registers: dict[int, int] = {}

    @property
    def card(self) -> Card | None:
        return self._card

    def present(self, card: Card, other: Card | None = None) -> None:
        """Lay this card on the reader, or these two, in place of any other."""
        card.power_on()
        self._selected = None
        self._card, self._other = card, other

    def remove(self) -> None:
        self._card = self._other = self._selected = None

    def execute(self, body: bytes) -> bytes:
        """The whole body of the answer to a command and its data."""
        self.commands += 1
        answer = self._execute(body[0], body[1:])
        return SYNTAX_ERROR if answer is None else bytes([0xD5, body[0] + 1]) + answer

    def _execute(self, command: int, data: bytes) -> bytes | None:
        """The data of its answer; None: no such command, or not so."""
        handler = {
            0x00: self._diagnose,
            0x02: lambda _: _FIRMWARE,
            0x06: self._read_registers,
            0x08: self._write_registers,
            0x10: lambda _: b"",
            0x12: lambda _: b"",
            0x14: lambda _: b"",
            0x16: lambda _: b"\x00",
            0x32: self._configure,
            0x42: self._talk,
            0x4A: self._find,
        }.get(command)
        return handler(data) if handler else None

    def _diagnose(self, data: bytes) -> bytes:
        return data if data[:1] == b"\x00" else b"\x00"

    def _read_registers(self, data: bytes) -> bytes:
        return bytes(self._registers.get(address, 0) for address in _addresses(data, 2))

    def _write_registers(self, data: bytes) -> bytes | None:
        if len(data) % 3:
            return None
        for at, address in enumerate(_addresses(data, 3)):
            self._registers[address] = data[3 * at + 2]
        return b""

    def _configure(self, data: bytes) -> bytes | None:
        if len(data) < 2:
            return None
        if data[0] == 1 and not data[1] & 1:
            self._selected = None
            if self._card:
                self._card.power_on()
        return b""

    def _find(self, data: bytes) -> bytes | None:
        """InListPassiveTarget: the chip does anticollision and selection by itself."""
        if len(data) < 2:
            return None
        self._air()
        card = self._card
        self._registers[_FIFO] = _SENS_REQ
        if data[1] != 0 or card is None or getattr(card, "gone", False):
            return b"\x00"
        card.power_on()
        self._selected = card
        self._registers[_RX_MODE] = _CRC_CHECKED
        found = [card, *([self._other] if self._other and data[0] > 1 else [])]
        return bytes([len(found)]) + b"".join(
            bytes([at]) + it.sens_res[::-1] + it.sel_res + bytes([len(it.uid)]) + it.uid
            for at, it in enumerate(found, 1)
        )

    def _talk(self, data: bytes) -> bytes | None:
        """InCommunicateThru: one frame to the card and back."""
        if not data:
            return None
        self._air()
        card = self._selected
        answer = card.process(data) if card is not None and card is self._card else None
        if answer is None:
            return _TIMED_OUT
        # Where the host has turned the check off, it gets the card's CRC and checks it itself; a 4-bit answer has none.
        four_bits = len(answer) == 1 and answer[0] < 0x10
        return (
            b"\x00" + answer + (b"" if self._registers.get(_RX_MODE, 0) & _CRC_CHECKED or four_bits else crc_a(answer))
        )

    def _air(self) -> None:
        if self.rf_ms:
            time.sleep(self.rf_ms / 1000)


def next_frame(heard: bytes) -> tuple[int, bytes] | None:
    """Bytes to take away, and command and data (none in an ACK or a damaged frame). None: not all of it is here yet."""
    start = heard.find(b"\x00\xff")
    if start < 0:
        return None
    at = start + 2
    rest = heard[at:]
    if rest[:2] in (b"\x00\xff", b"\xff\x00"):
        return at + 2, b""
    if len(rest) < 2:
        return None
    size, head = rest[0], 2
    if rest[:2] == b"\xff\xff":
        if len(rest) < 5:
            return None
        size, head = int.from_bytes(rest[2:4]), 5
        if sum(rest[2:5]) & 0xFF or size > 265:
            return at, b""
    elif (rest[0] + rest[1]) & 0xFF:
        return at, b""
    if len(rest) < head + size + 1:
        return None
    body = rest[head : head + size]
    whole = size >= 2 and not sum(rest[head : head + size + 1]) & 0xFF and body[0] == 0xD4
    return at + head + size + 1, body[1:] if whole else b""


def framed(body: bytes) -> bytes:
    extended = len(body) > 255
    size = len(body).to_bytes(2 if extended else 1)
    head = b"\x00\x00\xff" + (b"\xff\xff" if extended else b"") + size + bytes([-sum(size) & 0xFF])
    return head + body + bytes([-sum(body) & 0xFF, 0])


def _addresses(data: bytes, step: int) -> list[int]:
    return [int.from_bytes(data[at : at + 2]) for at in range(0, len(data) - len(data) % step, step)]


def crc_a(data: bytes) -> bytes:
    """CRC_A of ISO/IEC 14443-3."""
    crc = 0x6363
    for byte in data:
        for bit in range(8):
            odd = (crc ^ (byte >> bit)) & 1
            crc = crc >> 1 ^ (0x8408 if odd else 0)
    return crc.to_bytes(2, "little")
