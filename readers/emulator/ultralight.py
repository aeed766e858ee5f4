"""A MIFARE Ultralight AES (MF0AES(H)20 data sheet): mutual authentication, memory behind it, commands with a MAC."""

from __future__ import annotations

import os

from app.rules.chips import aes
from readers.cardauth.errors import Draw
from readers.emulator.cards import ACK, NAK, UidCard

_PAGES, _PAGE_SIZE = 60, 4
_VERSION = bytes.fromhex("0004030104000f03")


class UltralightAes(UidCard):
    """`keys`: data protection and UID retrieval. Pages from `protected_from` on are for who has authenticated."""

    def __init__(
        self,
        uid: bytes,
        keys: tuple[bytes, bytes] = (bytes(16), bytes(16)),
        *,
        protected_from: int = _PAGES,
        demands_macs: bool = False,
        signature: bytes = bytes(48),
        draw: Draw = os.urandom,
    ) -> None:
        super().__init__(uid)
        self._keys = keys
        self._protected_from = protected_from
        self._demands_macs = demands_macs
        self._signature = signature
        self._draw = draw
        self._memory = bytearray(_PAGES * _PAGE_SIZE)
        self._memory[:3], self._memory[4:8] = uid[:3], uid[3:7]
        self.power_on()

    def power_on(self) -> None:
        self._pending: tuple[bytes, bytes] | None = None
        self._session: bytes | None = None
        self._counter = 0

    def process(self, command: bytes) -> bytes | None:
        if command == b"\x50\x00":
            return None
        if command[0] in (0x1A, 0xAF):
            return self._authenticate(command)
        self._pending = None
        session = self._session
        if session is None or not self._demands_macs:
            return self._do(command)
        command, mac = command[:-8], command[-8:]
        if not command or not aes.same(self._mac(session, command), mac):
            self._session = None
            return NAK
        answer = self._do(command)
        return answer if answer == NAK else answer + self._mac(session, answer)

    def _authenticate(self, command: bytes) -> bytes:
        pending, self._pending, self._session = self._pending, None, None
        if command[0] == 0x1A and len(command) == 2 and command[1] < len(self._keys):
            self._pending = (self._keys[command[1]], self._draw(16))
            return b"\xaf" + aes.encrypt(*self._pending)
        if command[0] != 0xAF or len(command) != 33 or pending is None:
            return NAK
        key, rnd_b = pending
        plain = aes.decrypt(key, command[1:])
        if not aes.same(plain[16:], aes.rotated(rnd_b)):
            return NAK
        self._session = aes.cmac(key, aes.session_vector(b"\x5a\xa5", plain[:16], rnd_b))
        self._counter = 0
        return b"\x00" + aes.encrypt(key, aes.rotated(plain[:16]))

    def _do(self, command: bytes) -> bytes:
        match command[0], len(command):
            case 0x60, 1:
                return _VERSION
            case 0x3C, 2:
                return self._signature
            case 0x30, 2 if command[1] < self._open_pages:
                at = command[1] * _PAGE_SIZE
                return bytes((self._memory + self._memory)[at : at + 4 * _PAGE_SIZE])
            case 0xA2, 6 if 2 <= command[1] < self._open_pages:
                at = command[1] * _PAGE_SIZE
                self._memory[at : at + _PAGE_SIZE] = command[2:]
                return ACK
        return NAK

    @property
    def _open_pages(self) -> int:
        return _PAGES if self._session is not None else min(self._protected_from, _PAGES)

    def _mac(self, session: bytes, data: bytes) -> bytes:
        counted = self._counter.to_bytes(2, "little") + data
        self._counter += 1
        return aes.short_cmac(session, counted)
