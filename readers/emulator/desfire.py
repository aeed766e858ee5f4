"""A DESFire with one application: as much of it as an authentication needs."""

from __future__ import annotations

import os

from readers.cardauth.errors import Draw
from readers.emulator.ev2 import AUTHENTICATION, ILLEGAL, LENGTH, MORE, NO_SUCH_KEY, OK, ChipError, Handshake
from readers.emulator.isodep import IsoDepCard

_NO_APPLICATION = 0xA0
_VERSIONS = {
    "EV1": bytes.fromhex("04010101001a05"),
    "EV2": bytes.fromhex("04010112001a05"),
    "EV3": bytes.fromhex("04010133001a05"),
}


class Desfire(IsoDepCard):
    """`application` is the AID as on the wire. An EV1 knows AuthenticateAES only; EV2 and EV3 know EV2First as well."""

    def __init__(
        self,
        uid: bytes,
        application: bytes,
        keys: tuple[bytes, ...],
        *,
        generation: str = "EV2",
        draw: Draw = os.urandom,
    ) -> None:
        self._application = application
        self._keys = keys
        self._version = _VERSIONS[generation]
        self._ev2 = generation != "EV1"
        self._draw = draw
        super().__init__(uid)
        self.power_on()

    def power_on(self) -> None:
        super().power_on()
        self._selected = False
        self._handshake: Handshake | None = None
        self._parts: list[bytes] = []

    def apdu(self, command: bytes) -> bytes:
        if len(command) < 5 or command[0] != 0x90:
            return b"\x6e\x00"
        try:
            data, status = self._native(command[1], command[5:-1])
        except ChipError as error:
            self._handshake, data, status = None, b"", error.status
        return data + bytes([0x91, status])

    def _native(self, instruction: int, body: bytes) -> tuple[bytes, int]:
        handshake, self._handshake = self._handshake, None
        match instruction:
            case 0x5A:
                self._selected = body == self._application
                if not self._selected:
                    raise ChipError(_NO_APPLICATION)
                return b"", OK
            case 0x60:
                self._parts = [self._version, self.uid.ljust(7, b"\x00")[:7] + bytes(7)]
                return self._version, MORE
            case 0xAF if self._parts:
                part = self._parts.pop(0)
                return part, MORE if self._parts else OK
            case 0xAF if handshake is not None:
                return handshake.answer(body)[0], OK
            case 0x71 | 0xAA if instruction == 0xAA or self._ev2:
                if not self._selected:
                    raise ChipError(AUTHENTICATION)
                if not body:
                    raise ChipError(LENGTH)
                if body[0] >= len(self._keys):
                    raise ChipError(NO_SUCH_KEY)
                self._handshake = Handshake(body[0], self._keys[body[0]], self._draw, chained=instruction == 0xAA)
                return self._handshake.challenge, MORE
        raise ChipError(ILLEGAL)
