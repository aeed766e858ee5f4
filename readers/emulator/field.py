"""A card in front of nfcpy's `udp` driver, on loopback only.

The wire (nfcpy 1.0.4, nfc/clf/udp.py, `_send_data` and `_recv_data`): one datagram per frame, the bitrate and
technology and the frame in hex, `106A 9320`; `RFOFF` when the radio field goes down. nfcpy's own emulation binds every
interface; this one binds 127.0.0.1.

Where no card lies, a reader's call for cards waits HOLD_S for one to come and is then answered with RFOFF, which nfcpy
takes for "nobody there". It would otherwise wait a whole second for an answer, deaf to a card that comes meanwhile.
"""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable
from functools import reduce
from operator import xor
from types import TracebackType
from typing import NamedTuple, Self

from readers.emulator.cards import Card

HOST = "127.0.0.1"
HOLD_S = 0.040

_TYPE_A = b"106A"
_FIELD_OFF = b"RFOFF"
_CALLS = (b"\x26", b"\x52")  # SENS_REQ, ALL_REQ
_SELECT = b"\x93\x95\x97"  # one code per cascade level
_CASCADE_TAG, _MORE_LEVELS = b"\x88", b"\x04"

Fault = Callable[[bytes, bytes | None], bytes | None]
"""(command, answer) -> the answer that reaches the reader; None is silence."""


class _Call(NamedTuple):
    frame: bytes
    sender: tuple[str, int]
    until: float


class UdpCardField:
    """The field in front of one reader: nfcpy opens `path`; `present` and `remove` are what a hand does.

    Any thread may call. `port` 0 takes any free one. `fault` may be set at any time to drop or corrupt answers.
    """

    def __init__(self, port: int = 0, fault: Fault | None = None) -> None:
        self.fault = fault
        self._lock = threading.Lock()
        self._card: Card | None = None
        self._waiting: _Call | None = None
        self._empty_looks = 0
        self._closing = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((HOST, port))
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]
        self._wake, self._wake_end = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name=f"card-field-{self.port}", daemon=True)
        self._thread.start()

    @property
    def path(self) -> str:
        """The path under which nfcpy opens the reader before this field."""
        return f"udp:{HOST}:{self.port}"

    @property
    def card(self) -> Card | None:
        return self._card

    @property
    def empty_looks(self) -> int:
        """How often the reader has found nobody here since the last card was taken away."""
        return self._empty_looks

    def present(self, card: Card) -> None:
        """Lay this card on the reader, in place of any other."""
        with self._lock:
            card.power_on()
            self._card = card
            self._call_thread()

    def remove(self) -> None:
        """Take the card away. No card there: nothing happens."""
        with self._lock:
            if self._card is not None:
                self._card = None
                self._empty_looks = 0

    def close(self) -> None:
        """End the thread and free the port. May be called twice."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            self._card = None
            self._call_thread()
        self._thread.join()
        for each in (self._socket, self._wake, self._wake_end):
            each.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call_thread(self) -> None:
        if self._thread.is_alive():
            self._wake.send(b"!")

    def _run(self) -> None:
        while not self._closing:
            wait_s = None if self._waiting is None else max(0.0, self._waiting.until - time.monotonic())
            ready, _, _ = select.select([self._socket, self._wake_end], [], [], wait_s)
            if self._wake_end in ready:
                self._wake_end.recv(64)
            if self._socket in ready:
                frame, sender = self._socket.recvfrom(1024)
                self._received(frame, sender)
            self._settle_call()

    def _received(self, datagram: bytes, sender: tuple[str, int]) -> None:
        card = self._card
        if datagram.startswith(_FIELD_OFF):
            if card is not None:
                card.power_on()
            return
        technology, _, digits = datagram.partition(b" ")
        try:
            frame = bytes.fromhex(digits.decode())
        except ValueError:
            return
        if not frame:
            return
        if technology != _TYPE_A:
            self._send(_FIELD_OFF, sender)
        elif frame in _CALLS:
            self._waiting = _Call(frame, sender, time.monotonic() + HOLD_S)
        elif card is None:
            self._send(_FIELD_OFF, sender)
        else:
            self._answer(card, frame, sender)

    def _settle_call(self) -> None:
        call, card = self._waiting, self._card
        if call is None or (card is None and time.monotonic() < call.until):
            return
        self._waiting = None
        if card is None:
            self._send(_FIELD_OFF, call.sender)
            self._empty_looks += 1
        else:
            card.power_on()
            self._answer(card, call.frame, call.sender)

    def _answer(self, card: Card, frame: bytes, sender: tuple[str, int]) -> None:
        answer = _answer(card, frame)
        if self.fault is not None:
            answer = self.fault(frame, answer)
        if answer is not None:
            self._send(_TYPE_A + b" " + answer.hex().encode(), sender)

    def _send(self, datagram: bytes, sender: tuple[str, int]) -> None:
        # A datagram that cannot be sent is an answer lost on the air; the reader will ask again.
        with contextlib.suppress(OSError):
            self._socket.sendto(datagram, sender)


def _answer(card: Card, frame: bytes) -> bytes | None:
    """What a card says in anticollision and selection (ISO/IEC 14443-3), or to a command once it is selected."""
    if frame in _CALLS:
        return card.sens_res
    levels = _cascade(card.uid)
    for select_code, part in zip(_SELECT, levels, strict=False):
        if frame == bytes([select_code, 0x20]):
            return part
        if frame == bytes([select_code, 0x70]) + part:
            return card.sel_res if part is levels[-1] else _MORE_LEVELS
    # A selection meant for another card: this one keeps quiet.
    return None if frame[0] in _SELECT else card.process(frame)


def _cascade(uid: bytes) -> list[bytes]:
    """The UID as 4 bytes and their check byte for each cascade level; all but the last begin with the cascade tag."""
    parts = []
    while len(uid) > 4:
        parts.append(_CASCADE_TAG + uid[:3])
        uid = uid[3:]
    return [part + bytes([reduce(xor, part)]) for part in [*parts, uid]]
