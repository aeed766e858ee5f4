"""A PN532 at the end of a serial cable that can be pulled: a pseudo-terminal, and what of the chip nfcpy's driver asks.

Frames of the host link (PN532 User Manual, UM0701-02, 6.2): 00 00 FF LEN LCS D4 CMD data DCS 00, answered by
00 00 FF 00 FF 00 and then D5 CMD+1 data. Of the radio there is the UID of one card (InListPassiveTarget, 7.3.5).
"""

from __future__ import annotations

import os
import select
import threading
import tty
from pathlib import Path

from readers.emulator.cards import Card

_ACK = bytes.fromhex("0000ff00ff00")
_NOT_UNDERSTOOD = b"\x7f"
_FIRMWARE = bytes.fromhex("32010607")
_LIST_TARGETS = 0x4A
_REGISTERS = {0x06: 2, 0x08: 3}  # ReadRegister, WriteRegister: bytes for each
_FIFO = 0x6339
# SENS_REQ as it is in the FIFO after a look without an answer.
_SENS_REQ = 0x26


class Pn532:
    """`path` is nfcpy's, and stays the same over all plugging. `pull_at_next_card`: the cable goes while it reads."""

    def __init__(self, folder: Path) -> None:
        self._link = folder / "reader"
        self.path = f"tty:{self._link}:pn532"
        self._card: Card | None = None
        self._ends: tuple[int, int] | None = None
        self._pull = False
        self._pulled = threading.Event()
        self.plug()

    def plug(self) -> None:
        host, port = os.openpty()
        for end in (host, port):
            tty.setraw(end)
        self._link.unlink(missing_ok=True)
        self._link.symlink_to(os.ttyname(port))
        self._ends, self._registers = (host, port), dict[int, int]()
        self._pulled.clear()
        self._thread = threading.Thread(target=self._run, args=(host, port), name="pn532")
        self._thread.start()

    def unplug(self) -> None:
        self._pulled.set()
        self._thread.join()

    def pull_at_next_card(self) -> None:
        self._pull = True

    def was_pulled(self) -> bool:
        return self._pulled.is_set()

    def present(self, card: Card) -> None:
        self._card = card

    def remove(self) -> None:
        self._card = None

    def __enter__(self) -> Pn532:
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()

    def _run(self, host: int, port: int) -> None:
        waits = b""
        while not self._pulled.is_set():
            if select.select([host], [], [], 0.02)[0]:
                waits = self._take(host, waits + os.read(host, 4096))
        self._link.unlink(missing_ok=True)
        # Nobody holds the other end any more: whoever reads or writes there gets an error, as with a pulled adapter.
        os.close(port)
        os.close(host)

    def _take(self, host: int, waits: bytes) -> bytes:
        """Answer the whole commands in what came; what is left."""
        while (start := waits.find(b"\x00\xff")) >= 0:
            frame = waits[start + 2 :]
            if frame[:2] == b"\x00\xff":  # an ACK from the host: it gave up
                waits = frame[2:]
                continue
            # LEN LCS, or FF FF LEN LEN LCS for what is longer.
            long = frame[:2] == b"\xff\xff"
            head = 5 if long else 2
            if len(frame) < head:
                break
            length = int.from_bytes(frame[2:4], "big") if long else frame[0]
            if len(frame) < head + length + 1:
                break
            body, sum_of_body = frame[head : head + length], frame[head + length]
            waits = frame[head + length + 1 :]
            if sum(frame[head - 3 if long else 0 : head]) & 0xFF or (sum(body) + sum_of_body) & 0xFF or not body:
                continue
            if self._pull and body[1] == _LIST_TARGETS and self._card is not None:
                self._pull = False
                os.write(host, _ACK + b"\x00\x00\xff")
                self._pulled.set()
                break
            os.write(host, _ACK + self._answer(body[1], body[2:]))
        return waits

    def _answer(self, command: int, data: bytes) -> bytes:
        said = self._execute(command, data)
        body = _NOT_UNDERSTOOD if said is None else bytes([0xD5, command + 1]) + said
        size = len(body).to_bytes(2, "big")
        head = (
            bytes([len(body), -len(body) & 0xFF])
            if len(body) < 255
            else b"\xff\xff" + size + bytes([-sum(size) & 0xFF])
        )
        return b"\x00\x00\xff" + head + body + bytes([-sum(body) & 0xFF, 0])

    def _execute(self, command: int, data: bytes) -> bytes | None:
        size = _REGISTERS.get(command, 1)
        numbers = [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), size)]
        match command:
            case 0x00:  # Diagnose
                return data
            case 0x02:
                return _FIRMWARE
            case 0x10 | 0x12 | 0x14 | 0x32:  # SetSerialBaudRate, SetParameters, SAMConfiguration, RFConfiguration
                return b""
            case 0x16:  # PowerDown
                return b"\x00"
            case 0x06:
                return bytes(self._registers.get(number, 0) for number in numbers)
            case 0x08:
                self._registers.update(zip(numbers, data[2::3], strict=True))
                return b""
            case 0x4A:
                card = self._card
                if card is None or data[1] != 0:
                    self._registers[_FIFO] = _SENS_REQ
                    return b"\x00"
                return b"\x01\x01" + card.sens_res[::-1] + card.sel_res + bytes([len(card.uid)]) + card.uid
        return None
