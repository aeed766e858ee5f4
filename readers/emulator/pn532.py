"""A PN532 on a pseudo-terminal: the chip's host interface and what it does with a card, as nfcpy's own driver opens it.

The frames (NXP UM0701-02, 6.2.1): `00 00 FF LEN LCS D4 command data DCS 00`, longer ones with FF FF and two bytes of
length; answered by ACK `00 00 FF 00 FF 00`, and then by `D5 command+1 data`.

A test instrument: line and air can be slow, bytes can be damaged, the chip can die. Any thread may set these.
"""

from __future__ import annotations

import os
import random
import select
import threading
import time
import tty
from types import TracebackType
from typing import Self

from readers.emulator.cards import Card

BAUD = 115200
_ACK = bytes.fromhex("0000ff00ff00")
_BITS_A_BYTE = 10
_FIFO, _RX_MODE = 0x6339, 0x6303
_CRC_CHECKED, _SENS_REQ = 0x80, 0x26
_FIRMWARE = bytes.fromhex("32010607")
_TIMED_OUT = b"\x01"
_SYNTAX_ERROR = b"\x7f"


class EmulatedPn532:
    """The reader before one field; `present` and `remove` are what a hand does. `path` is what `open_driver` takes.

    `baud`: how fast the line is; None: as fast as it goes. nfcpy may ask for more, and the line stays what it is.
    `rf_ms`: what each talk with a card takes in the air. `damage`: the chance of any one byte on the line, either way,
    to have a bit turned. `dead`: swallows everything. `seed` makes the damage the same at each run.
    """

    def __init__(self, *, baud: int | None = BAUD, rf_ms: float = 5.0, damage: float = 0.0, seed: int = 0) -> None:
        self.baud = baud
        self.rf_ms = rf_ms
        self.damage = damage
        self.dead = False
        self.commands = 0
        self._dice = random.Random(seed)  # noqa: S311
        self._chip, self._port = os.openpty()
        for end in (self._chip, self._port):
            tty.setraw(end)
        # This end stays open, so that the port outlives a driver that closes it.
        self.port = os.ttyname(self._port)
        self._card: Card | None = None
        self._selected: Card | None = None
        self._registers: dict[int, int] = {}
        self._wake, self._wake_end = os.pipe()
        self._thread = threading.Thread(target=self._run, name=f"pn532-{self.port}", daemon=True)
        self._thread.start()

    @property
    def path(self) -> str:
        return f"tty:{self.port}:pn532"

    @property
    def card(self) -> Card | None:
        return self._card

    def present(self, card: Card) -> None:
        """Lay this card on the reader, in place of any other."""
        card.power_on()
        self._selected = None
        self._card = card

    def remove(self) -> None:
        self._card = self._selected = None

    def close(self) -> None:
        """End the thread and free the port. May be called twice."""
        if self._thread.is_alive():
            os.write(self._wake_end, b"!")
            self._thread.join()
            for end in (self._chip, self._port, self._wake, self._wake_end):
                os.close(end)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # The line

    def _run(self) -> None:
        heard = b""
        while True:
            ready, _, _ = select.select([self._chip, self._wake], [], [])
            if self._wake in ready:
                return
            heard += self._damaged(os.read(self._chip, 4096))
            if self.dead:
                heard = b""
            while (frame := _next_frame(heard)) is not None:
                taken, body = frame
                self._line(taken)
                heard = heard[taken:]
                if body:
                    self._obey(body)

    def _obey(self, body: bytes) -> None:
        self.commands += 1
        self._say(_ACK)
        answer = self._execute(body[0], body[1:])
        if not self.dead:
            self._say(_framed(_SYNTAX_ERROR if answer is None else bytes([0xD5, body[0] + 1]) + answer))

    def _say(self, data: bytes) -> None:
        self._line(len(data))
        os.write(self._chip, self._damaged(data))

    def _line(self, count: int) -> None:
        if self.baud:
            time.sleep(count * _BITS_A_BYTE / self.baud)

    def _damaged(self, data: bytes) -> bytes:
        if not self.damage:
            return data
        return bytes(
            byte ^ (1 << self._dice.randrange(8)) if self._dice.random() < self.damage else byte for byte in data
        )

    # The chip (UM0701-02, chapter 7)

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
        return b"\x01\x01" + card.sens_res[::-1] + card.sel_res + bytes([len(card.uid)]) + card.uid

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
        return (
            b"\x00"
            + answer
            + (b"" if self._registers.get(_RX_MODE, 0) & _CRC_CHECKED or len(answer) < 2 else _crc_a(answer))
        )

    def _air(self) -> None:
        if self.rf_ms:
            time.sleep(self.rf_ms / 1000)


def _next_frame(heard: bytes) -> tuple[int, bytes] | None:
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


def _framed(body: bytes) -> bytes:
    extended = len(body) > 255
    size = len(body).to_bytes(2 if extended else 1)
    head = b"\x00\x00\xff" + (b"\xff\xff" if extended else b"") + size + bytes([-sum(size) & 0xFF])
    return head + body + bytes([-sum(body) & 0xFF, 0])


def _addresses(data: bytes, step: int) -> list[int]:
    return [int.from_bytes(data[at : at + 2]) for at in range(0, len(data) - len(data) % step, step)]


def _crc_a(data: bytes) -> bytes:
    """CRC_A of ISO/IEC 14443-3."""
    crc = 0x6363
    for byte in data:
        for bit in range(8):
            odd = (crc ^ (byte >> bit)) & 1
            crc = crc >> 1 ^ (0x8408 if odd else 0)
    return crc.to_bytes(2, "little")
