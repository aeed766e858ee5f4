"""An NTAG 424 DNA: five keys, three files, EV2 sessions, the message in its address, a UID that may be random.

Follows the NT4H2421Gx data sheet as far as Comptoir uses the chip; what it uses not, the model declines as unknown.
"""

from __future__ import annotations

import os
import zlib

from app.rules.chips import sun
from readers.cardauth.errors import Draw
from readers.emulator.ev2 import (
    FULL,
    ILLEGAL,
    INTEGRITY,
    LENGTH,
    MACED,
    MORE,
    NO_SUCH_KEY,
    NOT_FOUND,
    OK,
    PARAMETER,
    PERMISSION,
    PLAIN,
    ChipError,
    ChipSession,
    Handshake,
)  # fmt: skip
from readers.emulator.isodep import IsoDepCard

_NAME = bytes.fromhex("d2760000850101")
_FREE = 0xE
_SIGNATURE_STATUS = 0x90
_CC = bytes.fromhex("001720010000ff0406e104010000000506e10500808283")
# FileOption and AccessRights as the chip leaves the factory (10.7.1): read, write, both, change.
_FACTORY = {1: bytes.fromhex("0000e0"), 2: bytes.fromhex("00e0ee"), 3: bytes.fromhex("033023")}
# Their length with the mirror: 3 bytes, options and rights of the mirror, three offsets.
_WITH_MIRROR = 15
_SIZES = {1: 32, 2: 256, 3: 128}
_ISO_FILES = {b"\xe1\x03": 1, b"\xe1\x04": 2, b"\xe1\x05": 3}
_VERSION = (bytes.fromhex("04040230001105"), bytes.fromhex("04040201021105"))


class Ntag424(IsoDepCard):
    """`keys`: the five keys by number, zeros from the factory. `random_uid`: shows a new UID of 4 bytes at each tap.

    `tear_at`: of the next write to a file only so many bytes are kept, for the power goes in its middle: the chip is
    silent from then on, until it has power again.
    """

    def __init__(
        self,
        uid: bytes,
        keys: tuple[bytes, ...] = (bytes(16),) * 5,
        *,
        signature: bytes = bytes(56),
        random_uid: bool = False,
        draw: Draw = os.urandom,
    ) -> None:
        if len(uid) != 7 or len(keys) != 5:
            raise ValueError("an NTAG 424 DNA has a UID of 7 bytes and five keys")
        self.true_uid = uid
        self.keys = list(keys)
        self.versions = [0] * 5
        self.counter = 0
        self.tear_at: int | None = None
        self._signature = signature
        self._random = random_uid
        self._draw = draw
        self._files = {number: bytearray(size) for number, size in _SIZES.items()}
        self._files[1][: len(_CC)] = _CC
        self._settings = dict(_FACTORY)
        super().__init__(uid)
        self.power_on()

    def power_on(self) -> None:
        super().power_on()
        if self._random:
            self.uid, self.sens_res = b"\x08" + self._draw(3), b"\x04\x00"
        self._torn = False
        self._selected = False
        self._iso_file: int | None = None
        self._parts: list[bytes] = []
        self._mirrored: bytes | None = None
        self._forget()

    def process(self, command: bytes) -> bytes | None:
        answer = None if self._torn else super().process(command)
        return None if self._torn else answer

    def apdu(self, command: bytes) -> bytes:
        if command[:1] == b"\x00":
            return self._iso(command)
        if len(command) < 5 or command[0] != 0x90:
            return b"\x6e\x00"
        body = command[5:-1]
        if body and command[4] != len(body):
            return bytes([0x91, LENGTH])
        try:
            data, status = self._native(command[1], body)
        except ChipError as error:
            self._forget()
            data, status = b"", error.status
        return data + bytes([0x91, status])

    def _forget(self) -> None:
        self._handshake: Handshake | None = None
        self._session: ChipSession | None = None

    def _iso(self, command: bytes) -> bytes:
        self._forget()
        if command[:3] == b"\x00\xa4\x04":
            self._selected = command[5 : 5 + command[4]] == _NAME
            return b"\x90\x00" if self._selected else b"\x6a\x82"
        if command[:3] == b"\x00\xa4\x00" and self._selected:
            self._iso_file = _ISO_FILES.get(command[5:7])
            return b"\x90\x00" if self._iso_file else b"\x6a\x82"
        if command[:2] == b"\x00\xb0" and self._iso_file:
            if self._rights(self._iso_file, "read") != _FREE:
                return b"\x69\x82"
            offset, size = int.from_bytes(command[2:4]), (command[4] if len(command) > 4 else 0) or 256
            return self._content(self._iso_file)[offset : offset + size] + b"\x90\x00"
        return b"\x6d\x00"

    def _native(self, instruction: int, body: bytes) -> tuple[bytes, int]:
        if instruction == MORE:
            return self._continue(body)
        self._handshake, self._parts = None, []
        match instruction:
            case 0x60:
                self._parts = [_VERSION[1], self._shown_uid() + bytes.fromhex("cf1142a465451820")]
                return _VERSION[0], MORE
            case 0x3C:
                if self._session is None:
                    return self._signature, _SIGNATURE_STATUS
                self._session.opened(instruction, body, 1, MACED)
                return self._session.closed(self._signature, MACED, _SIGNATURE_STATUS), _SIGNATURE_STATUS
            case 0x71 if self._selected:
                if not body or body[0] >= len(self.keys):
                    raise ChipError(NO_SUCH_KEY)
                self._session = None
                self._handshake = Handshake(body[0], self.keys[body[0]], self._draw, chained=False)
                return self._handshake.challenge, MORE
            case 0xC4 | 0x64 | 0x51 | 0xF5 | 0x5F:
                return self._with_session(instruction, body)
            case 0x8D | 0xAD:
                return self._on_file(instruction, body)
        raise ChipError(ILLEGAL)

    def _continue(self, body: bytes) -> tuple[bytes, int]:
        if self._parts:
            part = self._parts.pop(0)
            return part, MORE if self._parts else OK
        if self._handshake is None:
            raise ChipError(ILLEGAL)
        handshake, self._handshake = self._handshake, None
        proof, self._session = handshake.answer(body)
        return proof, OK

    def _with_session(self, instruction: int, body: bytes) -> tuple[bytes, int]:
        session = self._session
        if session is None:
            raise ChipError(PERMISSION)
        match instruction:
            case 0xC4:
                header, data = session.opened(instruction, body, 1, FULL)
                return self._change_key(session, header, data)
            case 0x64:
                header, _ = session.opened(instruction, body, 1, MACED)
                return session.closed(bytes([self.versions[self._key_no(header)]]), MACED), OK
            case 0x51:
                session.opened(instruction, body, 0, FULL)
                return session.closed(self.true_uid, FULL), OK
            case 0xF5:
                header, _ = session.opened(instruction, body, 1, MACED)
                number = self._file_no(header)
                settings, size = self._settings[number], _SIZES[number].to_bytes(3, "little")
                return session.closed(b"\x00" + settings[:3] + size + settings[3:], MACED), OK
        header, data = session.opened(instruction, body, 1, FULL)
        number = self._file_no(header)
        if self._rights(number, "change") != session.key_no:
            raise ChipError(PERMISSION)
        if len(data) not in (3, _WITH_MIRROR):
            raise ChipError(PARAMETER)
        self._settings[number] = data
        return session.closed(b"", FULL), OK

    def _change_key(self, session: ChipSession, header: bytes, data: bytes) -> tuple[bytes, int]:
        number = self._key_no(header)
        if session.key_no != 0:
            raise ChipError(PERMISSION)
        if number == 0:
            if len(data) != 17:
                raise ChipError(LENGTH)
            self.keys[0], self.versions[0] = data[:16], data[16]
            self._forget()
            return b"", OK
        if len(data) != 21:
            raise ChipError(LENGTH)
        new = bytes(a ^ b for a, b in zip(data[:16], self.keys[number], strict=True))
        if (zlib.crc32(new) ^ 0xFFFFFFFF).to_bytes(4, "little") != data[17:]:
            raise ChipError(INTEGRITY)
        self.keys[number], self.versions[number] = new, data[16]
        return session.closed(b"", FULL), OK

    def _on_file(self, instruction: int, body: bytes) -> tuple[bytes, int]:
        number, session = self._file_no(body[:1]), self._session
        want = "read" if instruction == 0xAD else "write"
        allowed = {self._rights(number, want), self._rights(number, "both")}
        if not allowed & {_FREE, session.key_no if session else _FREE}:
            raise ChipError(PERMISSION)
        mode = self._settings[number][0] & 3 if session is not None and session.key_no in allowed else PLAIN
        header, data = session.opened(instruction, body, 7, mode) if session else (body[:7], body[7:])
        if len(header) != 7:
            raise ChipError(LENGTH)
        offset, size = int.from_bytes(header[1:4], "little"), int.from_bytes(header[4:7], "little")
        if offset + size > _SIZES[number]:
            raise ChipError(PARAMETER)
        if instruction == 0xAD:
            size = size or _SIZES[number] - offset
            read = (
                self._content(number)[offset : offset + size]
                if session is None
                else self._files[number][offset:][:size]
            )
            return (session.closed(bytes(read), mode) if session else bytes(read)), OK
        if len(data) != size:
            raise ChipError(LENGTH)
        if self.tear_at is not None:
            data, self.tear_at, self._torn = data[: self.tear_at], None, True
        self._files[number][offset : offset + len(data)] = data
        return (session.closed(b"", mode) if session else b""), OK

    def _content(self, number: int) -> bytes:
        """As one reads it who is not authenticated: with the message in it, which counts once for each tap."""
        content, settings = bytes(self._files[number]), self._settings[number]
        if len(settings) != _WITH_MIRROR or not settings[0] & 0x40:
            return content
        if self._mirrored is None:
            self.counter += 1
            picc_at, mac_from, mac_at = (int.from_bytes(settings[at : at + 3], "little") for at in (6, 9, 12))
            meta, file = self.keys[settings[5] >> 4], self.keys[settings[5] & 0xF]
            said = sun.Sun(self.true_uid, self.counter)
            picc, mac = sun.make(meta, file, said, self._draw(5), content[mac_from:mac_at])
            content = content[:picc_at] + picc.encode() + content[picc_at + 32 :]
            self._mirrored = content[:mac_at] + mac.encode() + content[mac_at + 16 :]
        return self._mirrored

    def _shown_uid(self) -> bytes:
        return bytes(7) if self._random else self.true_uid

    def _rights(self, number: int, want: str) -> int:
        low, high = self._settings[number][1:3]
        return {"read": high >> 4, "write": high & 0xF, "both": low >> 4, "change": low & 0xF}[want]

    def _key_no(self, header: bytes) -> int:
        if not header or header[0] >= len(self.keys):
            raise ChipError(NO_SUCH_KEY)
        return header[0]

    def _file_no(self, header: bytes) -> int:
        if not header or header[0] not in self._files:
            raise ChipError(NOT_FOUND)
        return header[0]
