"""The chip's side of AES authentication and of EV2 secure messaging, as NTAG 424 DNA and DESFire have it.

Written from the chip's point of view and by the data sheet (NT4H2421Gx, 9.1), apart from `readers.cardauth.ev2`: two
implementations that agree say more than one that agrees with itself.
"""

from __future__ import annotations

from app.rules.chips import aes
from readers.cardauth.errors import Draw

OK, MORE = 0x00, 0xAF
ILLEGAL, NO_SUCH_KEY, LENGTH, PERMISSION, PARAMETER = 0x1C, 0x40, 0x7E, 0x9D, 0x9E
AUTHENTICATION, INTEGRITY, NOT_FOUND = 0xAE, 0x1E, 0xF0
PLAIN, MACED, FULL = 0, 1, 3


class ChipError(Exception):
    """The chip declines with this status, and has no session any more."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status:02X}")
        self.status = status


class Handshake:
    """One authentication under way. `chained`: the CBC of AuthenticateAES runs on from message to message."""

    def __init__(self, key_no: int, key: bytes, draw: Draw, *, chained: bool) -> None:
        self.key_no = key_no
        self._key = key
        self._draw = draw
        self._chained = chained
        self._rnd_b = draw(16)
        self.challenge = aes.encrypt(key, self._rnd_b)

    def answer(self, data: bytes) -> tuple[bytes, ChipSession | None]:
        """The chip's proof for the reader's, and the session that begins (None after AuthenticateAES). ChipError."""
        if len(data) != 32:
            raise ChipError(LENGTH)
        plain = aes.decrypt(self._key, data, self.challenge if self._chained else aes.ZERO_IV)
        rnd_a, proof = plain[:16], plain[16:]
        if not aes.same(proof, aes.rotated(self._rnd_b)):
            raise ChipError(AUTHENTICATION)
        if self._chained:
            return aes.encrypt(self._key, aes.rotated(rnd_a), data[-16:]), None
        ti = self._draw(4)
        session = ChipSession(self.key_no, self._key, rnd_a, self._rnd_b, ti)
        return aes.encrypt(self._key, ti + aes.rotated(rnd_a) + bytes(12)), session


class ChipSession:
    """Checks commands and protects answers."""

    def __init__(self, key_no: int, key: bytes, rnd_a: bytes, rnd_b: bytes, ti: bytes) -> None:
        self.key_no = key_no
        self._enc = aes.cmac(key, aes.session_vector(b"\xa5\x5a", rnd_a, rnd_b))
        self._mac = aes.cmac(key, aes.session_vector(b"\x5a\xa5", rnd_a, rnd_b))
        self._ti = ti
        self._counter = 0

    def opened(self, instruction: int, body: bytes, header_size: int, mode: int) -> tuple[bytes, bytes]:
        """(header, data in clear). ChipError."""
        if mode == PLAIN:
            return body[:header_size], body[header_size:]
        body, mac = body[:-8], body[-8:]
        if not aes.same(self._mac_of(instruction, body), mac):
            raise ChipError(INTEGRITY)
        header, data = body[:header_size], body[header_size:]
        if mode == FULL and data:
            try:
                data = aes.unpad(aes.decrypt(self._enc, data, self._iv(b"\xa5\x5a")))
            except ValueError:
                raise ChipError(INTEGRITY) from None
        return header, data

    def closed(self, data: bytes, mode: int, status: int = OK) -> bytes:
        """The data of an answer, protected; counts the command."""
        self._counter += 1
        if mode == PLAIN:
            return data
        if mode == FULL and data:
            data = aes.encrypt(self._enc, aes.pad(data), self._iv(b"\x5a\xa5"))
        return data + self._mac_of(status, data)

    def _mac_of(self, code: int, data: bytes) -> bytes:
        return aes.short_cmac(self._mac, bytes([code]) + self._count + self._ti + data)

    def _iv(self, mark: bytes) -> bytes:
        return aes.encrypt(self._enc, mark + self._ti + self._count + bytes(8))

    @property
    def _count(self) -> bytes:
        return self._counter.to_bytes(2, "little")
