"""A MIFARE Ultralight AES (MF0AES(H)20 data sheet): mutual authentication, memory behind it, commands with a MAC."""

from __future__ import annotations

import os

from app.rules.chips import aes
from readers.cardauth.errors import Draw
from readers.emulator.cards import ACK, NAK, UidCard

_PAGES, _PAGE_SIZE = 60, 4
_LOCK_PAGE, _CAPABILITY_PAGE, _USER_END = 2, 3, 0x28
_DYNAMIC_LOCKS, _CONFIGURATION = 0x28, 0x29
_KEY_PAGES = (0x30, 0x34)
_KEY_BYTES = 16
# The configuration's bit that has every command carry a MAC.
_MACS = 0x02
# That of the page behind it: what is closed is closed for reading too.
_READ_TOO = 0x80
_VERSION = bytes.fromhex("0004030104000f03")


class UltralightAes(UidCard):
    """`keys`: data protection and UID retrieval. Pages from `protected_from` on are for who has authenticated:
    `read_protected`, also to be read. `slow_keys`: a new key counts once the card had no power."""

    def __init__(
        self,
        uid: bytes,
        keys: tuple[bytes, bytes] = (bytes(16), bytes(16)),
        *,
        protected_from: int = _PAGES,
        demands_macs: bool = False,
        read_protected: bool = False,
        slow_keys: bool = False,
        signature: bytes = bytes(48),
        draw: Draw = os.urandom,
    ) -> None:
        super().__init__(uid)
        self._slow_keys = slow_keys
        self._signature = signature
        self._draw = draw
        self._memory = bytearray(_PAGES * _PAGE_SIZE)
        self._memory[:3], self._memory[4:8] = uid[:3], uid[3:7]
        for first, key in zip(_KEY_PAGES, keys, strict=True):
            self._memory[first * _PAGE_SIZE : first * _PAGE_SIZE + _KEY_BYTES] = key[::-1]
        at = _CONFIGURATION * _PAGE_SIZE
        self._memory[at : at + _PAGE_SIZE] = bytes([_MACS * demands_macs, 0, 0, protected_from])
        self._memory[at + _PAGE_SIZE] = _READ_TOO * read_protected
        self.power_on()

    @property
    def keys(self) -> tuple[bytes, ...]:
        """As they stand in its memory, where nobody can read them."""
        return tuple(bytes(self._memory[at * _PAGE_SIZE :][:_KEY_BYTES])[::-1] for at in _KEY_PAGES)

    def power_on(self) -> None:
        self._known = self.keys
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
        if session is None or not self._memory[_CONFIGURATION * _PAGE_SIZE] & _MACS:
            return self._do(command)
        command, mac = command[:-8], command[-8:]
        if not command or not aes.same(self._mac(session, command), mac):
            self._session = None
            return NAK
        answer = self._do(command)
        return answer if answer == NAK else answer + self._mac(session, answer)

    def _authenticate(self, command: bytes) -> bytes:
        pending, self._pending, self._session = self._pending, None, None
        if command[0] == 0x1A and len(command) == 2 and command[1] < len(_KEY_PAGES):
            keys = self._known if self._slow_keys else self.keys
            self._pending = (keys[command[1]], self._draw(16))
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
            case 0x30, 2 if command[1] < self._open_pages(reading=True):
                at = command[1] * _PAGE_SIZE
                shown = self._memory[: _KEY_PAGES[0] * _PAGE_SIZE] + bytes((_PAGES - _KEY_PAGES[0]) * _PAGE_SIZE)
                return bytes((shown + shown)[at : at + 4 * _PAGE_SIZE])
            case 0xA2, 6 if _LOCK_PAGE <= command[1] < self._open_pages(reading=False) and not self._locked(command[1]):
                self._put(command[1], command[2:])
                return ACK
        return NAK

    def _open_pages(self, *, reading: bool) -> int:
        at = _CONFIGURATION * _PAGE_SIZE
        closed = _PAGES if reading and not self._memory[at + _PAGE_SIZE] & _READ_TOO else self._memory[at + 3]
        return _PAGES if self._session is not None else min(closed, _PAGES)

    def _put(self, page: int, data: bytes) -> None:
        at = page * _PAGE_SIZE
        if page in (_LOCK_PAGE, _CAPABILITY_PAGE, _DYNAMIC_LOCKS):
            # The chip's own bytes stay; of the others bits only rise.
            own = 2 if page == _LOCK_PAGE else 0
            data = bytes(old | new for old, new in zip(self._memory[at:], bytes(own) + data[own:], strict=False))
        self._memory[at : at + _PAGE_SIZE] = data

    def _locked(self, page: int) -> bool:
        if _CAPABILITY_PAGE <= page < 16:
            bits = int.from_bytes(self._memory[_LOCK_PAGE * _PAGE_SIZE + 2 :][:2], "little")
            return bool(bits >> page & 1)
        if 16 <= page < _USER_END:
            bits = int.from_bytes(self._memory[_DYNAMIC_LOCKS * _PAGE_SIZE :][:2], "little")
            return bool(bits >> (page - 16) // 2 & 1)
        return False

    def _mac(self, session: bytes, data: bytes) -> bytes:
        counted = self._counter.to_bytes(2, "little") + data
        self._counter += 1
        return aes.short_cmac(session, counted)
