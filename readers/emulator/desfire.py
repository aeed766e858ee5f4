"""A DESFire with one application at most: as much of it as its making, authentication and keys need."""

from __future__ import annotations

import os
import zlib

from readers.cardauth.errors import Draw
from readers.emulator.ev2 import (
    AUTHENTICATION,
    FULL,
    ILLEGAL,
    INTEGRITY,
    LENGTH,
    MACED,
    MORE,
    NO_SUCH_KEY,
    OK,
    PARAMETER,
    PERMISSION,
    ChipError,
    ChipSession,
    Handshake,
)  # fmt: skip
from readers.emulator.isodep import IsoDepCard

_NO_APPLICATION, _DUPLICATE = 0xA0, 0xDE
_CARD = bytes(3)
_AES, _KEYS_MAX = 0x80, 14
_VERSIONS = {
    "EV1": bytes.fromhex("04010101001a05"),
    "EV2": bytes.fromhex("04010112001a05"),
    "EV3": bytes.fromhex("04010133001a05"),
}


class Desfire(IsoDepCard):
    """`application` is the AID as on the wire; without one, as it leaves the factory, anybody may make one. An EV1
    knows AuthenticateAES only; EV2 and EV3 know EV2First as well. `closed`: applications are made by who knows the
    card's master key, which nobody here does."""

    def __init__(
        self,
        uid: bytes,
        application: bytes = _CARD,
        keys: tuple[bytes, ...] = (),
        *,
        generation: str = "EV2",
        closed: bool = False,
        signature: bytes = bytes(56),
        draw: Draw = os.urandom,
    ) -> None:
        self._application = application
        self.keys = list(keys)
        self.versions = [0] * len(keys)
        self._closed = closed
        self._signature = signature
        self._version = _VERSIONS[generation]
        self._ev2 = generation != "EV1"
        self._draw = draw
        super().__init__(uid)
        self.power_on()

    def power_on(self) -> None:
        super().power_on()
        self._selected = _CARD
        self._handshake: Handshake | None = None
        self._session: ChipSession | None = None
        self._parts: list[bytes] = []

    def apdu(self, command: bytes) -> bytes:
        if len(command) < 5 or command[0] != 0x90:
            return b"\x6e\x00"
        try:
            data, status = self._native(command[1], command[5:-1])
        except ChipError as error:
            self._handshake = self._session = None
            data, status = b"", error.status
        return data + bytes([0x91, status])

    def _native(self, instruction: int, body: bytes) -> tuple[bytes, int]:
        handshake, self._handshake = self._handshake, None
        match instruction:
            case 0x5A:
                if body not in (_CARD, self._application):
                    raise ChipError(_NO_APPLICATION)
                self._selected, self._session = body, None
                return b"", OK
            case 0xCA:
                return self._make(body)
            case 0x3C:
                return self._signature, OK
            case 0x60:
                self._parts = [self._version, self.uid.ljust(7, b"\x00")[:7] + bytes(7)]
                return self._version, MORE
            case 0xAF if self._parts:
                part = self._parts.pop(0)
                return part, MORE if self._parts else OK
            case 0xAF if handshake is not None:
                proof, self._session = handshake.answer(body)
                return proof, OK
            case 0x71 | 0xAA if instruction == 0xAA or self._ev2:
                if self._selected == _CARD:
                    raise ChipError(AUTHENTICATION)
                if not body:
                    raise ChipError(LENGTH)
                self._session = None
                number = self._key_no(body)
                self._handshake = Handshake(number, self.keys[number], self._draw, chained=instruction == 0xAA)
                return self._handshake.challenge, MORE
            case 0xC4 | 0x64:
                return self._with_session(instruction, body)
        raise ChipError(ILLEGAL)

    def _make(self, body: bytes) -> tuple[bytes, int]:
        if len(body) != 5:
            raise ChipError(LENGTH)
        if self._closed or self._selected != _CARD:
            raise ChipError(PERMISSION)
        if self._application != _CARD:
            raise ChipError(_DUPLICATE)
        count = body[4] & 0x0F
        if body[4] & 0xF0 != _AES or not 1 <= count <= _KEYS_MAX:
            raise ChipError(PARAMETER)
        self._application, self.keys, self.versions = body[:3], [bytes(16)] * count, [0] * count
        return b"", OK

    def _with_session(self, instruction: int, body: bytes) -> tuple[bytes, int]:
        session = self._session
        if session is None:
            raise ChipError(AUTHENTICATION)
        if instruction == 0x64:
            header, _ = session.opened(instruction, body, 1, MACED)
            return session.closed(bytes([self.versions[self._key_no(header)]]), MACED), OK
        header, data = session.opened(instruction, body, 1, FULL)
        number = self._key_no(header)
        if session.key_no != 0:
            raise ChipError(PERMISSION)
        if number == 0:
            if len(data) != 17:
                raise ChipError(LENGTH)
            self.keys[0], self.versions[0], self._session = data[:16], data[16], None
            return b"", OK
        if len(data) != 21:
            raise ChipError(LENGTH)
        new = bytes(a ^ b for a, b in zip(data[:16], self.keys[number], strict=True))
        if (zlib.crc32(new) ^ 0xFFFFFFFF).to_bytes(4, "little") != data[17:]:
            raise ChipError(INTEGRITY)
        self.keys[number], self.versions[number] = new, data[16]
        return session.closed(b"", FULL), OK

    def _key_no(self, header: bytes) -> int:
        if not header or header[0] >= len(self.keys):
            raise ChipError(NO_SUCH_KEY)
        return header[0]
