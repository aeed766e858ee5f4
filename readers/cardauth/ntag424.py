"""NTAG 424 DNA (NT4H2421Gx data sheet rev. 3.0, chapter 10): five AES keys, and files that can mirror a message.

Key 0 changes the others. Files: 01 the capability container, 02 the NDEF message, 03 for data of our own.
"""

from __future__ import annotations

import os
import zlib
from dataclasses import dataclass

from readers.cardauth import ev2, native
from readers.cardauth.errors import Draw, Malformed

APPLICATION = bytes.fromhex("d2760000850101")
KEYS = 5
NDEF_FILE, DATA_FILE = 0x02, 0x03
NDEF_FILE_SIZE = 256
FREE, NEVER = 0xE, 0xF
_WRITE_MAX = 192
_KEY_SIZE = 16
_SDM, _UID, _COUNTER, _ASCII = 0x40, 0x80, 0x40, 0x01
_PICC_DIGITS, _MAC_DIGITS = 32, 16
_HTTPS = b"\x04"


def authenticate(transceive: native.Transceive, key_no: int, key: bytes, draw: Draw = os.urandom) -> ev2.Session:
    """Select the application and authenticate. Raises NotProven, Refused, Malformed."""
    native.select_by_name(transceive, APPLICATION)
    return ev2.authenticate(transceive, key_no, key, draw)


def card_uid(session: ev2.Session) -> bytes:
    """The true UID, also of a card that shows a random one."""
    uid = session.command("its UID", 0x51, mode="full")
    if len(uid) != 7:
        raise Malformed(f"a UID has 7 bytes, not {len(uid)}")
    return uid


def change_key(session: ev2.Session, key_no: int, old: bytes, new: bytes, version: int = 1) -> None:
    """Change a key other than 0 in a session of key 0. Raises Refused (and then the key is the old one), NotProven."""
    if not 0 < key_no < KEYS or len(old) != _KEY_SIZE or len(new) != _KEY_SIZE:
        raise ValueError("keys 1 to 4, of 16 bytes each, are changed so")
    mixed = bytes(a ^ b for a, b in zip(old, new, strict=True))
    # The CRC-32 of IEEE 802.3 without its last inversion, low byte first.
    check = (zlib.crc32(new) ^ 0xFFFFFFFF).to_bytes(4, "little")
    session.command("a change of key", 0xC4, bytes([key_no]), mixed + bytes([version]) + check, mode="full")


def change_key_0(session: ev2.Session, new: bytes, version: int = 1) -> None:
    """Change the key of this very session, which ends with it."""
    if len(new) != _KEY_SIZE:
        raise ValueError("a key has 16 bytes")
    session.close_with("a change of key 0", 0xC4, b"\x00", new + bytes([version]))


def key_version(session: ev2.Session, key_no: int) -> int:
    """Which key stands there: how a torn change is found out."""
    got = session.command("the version of a key", 0x64, bytes([key_no]), mode="mac")
    if len(got) != 1:
        raise Malformed("a key's version is one byte")
    return got[0]


def write(session: ev2.Session, file: int, data: bytes, *, mode: ev2.Mode, offset: int = 0) -> None:
    """WriteData, in as many commands as it takes. A card that leaves in between holds the beginning of it."""
    for at in range(0, len(data), _WRITE_MAX):
        part = data[at : at + _WRITE_MAX]
        header = bytes([file]) + (offset + at).to_bytes(3, "little") + len(part).to_bytes(3, "little")
        session.command("to be written to", 0x8D, header, part, mode=mode)


def read(session: ev2.Session, file: int, size: int, *, mode: ev2.Mode, offset: int = 0) -> bytes:
    """ReadData of `size` bytes."""
    header = bytes([file]) + offset.to_bytes(3, "little") + size.to_bytes(3, "little")
    data = session.command("to be read", 0xAD, header, mode=mode)
    if len(data) != size:
        raise Malformed(f"{len(data)} bytes were read instead of {size}")
    return data


def file_settings(session: ev2.Session, file: int) -> bytes:
    """As they stand on the card, to be compared with what was set."""
    return session.command("the settings of a file", 0xF5, bytes([file]), mode="mac")


def rights(session: ev2.Session, file: int) -> tuple[int, int, int]:
    """Which keys (or FREE, NEVER) write a file, read and write it, and change its settings."""
    settings = file_settings(session, file)
    if len(settings) < 4:
        raise Malformed("the settings of a file have four bytes at least")
    return settings[3] & 0xF, settings[2] >> 4, settings[2] & 0xF


@dataclass(frozen=True, slots=True)
class SunFile:
    """An NDEF file whose address the card completes at each tap, and where in it."""

    content: bytes
    picc_offset: int
    mac_offset: int


def sun_file(address: str) -> SunFile:
    """The file for an https address; `{e}` stands for the encrypted UID and counter, `{c}` behind it for the MAC.

    ValueError: no such address, or too long for the chip.
    """
    if not address.startswith("https://") or address.count("{e}") != 1 or address.count("{c}") != 1:
        raise ValueError("the address begins with https:// and has one {e} and one {c}")
    before, _, rest = address.removeprefix("https://").partition("{e}")
    between, found, after = rest.partition("{c}")
    if not found:
        raise ValueError("{c} stands behind {e}")
    filled = f"{before}{'0' * _PICC_DIGITS}{between}{'0' * _MAC_DIGITS}{after}".encode("ascii")
    payload = _HTTPS + filled
    # One short URI record (NFC Forum RTD URI 1.0) behind the two bytes of NLEN.
    head = b"\xd1\x01" + bytes([min(len(payload), 255)]) + b"U"
    content = (len(head) + len(payload)).to_bytes(2) + head + payload
    if len(payload) > 255 or len(content) > NDEF_FILE_SIZE:
        raise ValueError(f"the address is too long for the chip: {len(filled)} characters")
    picc = len(content) - len(filled) + len(before)
    return SunFile(content, picc, picc + _PICC_DIGITS + len(between))


def set_up_sun(session: ev2.Session, file: SunFile, *, meta_key: int, file_key: int, change: int = 0) -> None:
    """ChangeFileSettings of the NDEF file: anyone reads it, key `change` writes it, the card mirrors its message.

    `meta_key` encrypts UID and counter and is the same on all cards, `file_key` is the card's own and makes the MAC. It
    covers UID and counter only, so that another address does not need another way to verify it (AN12196, 3.4).
    """
    settings = (
        bytes([_SDM, change << 4 | change, FREE << 4 | change, _UID | _COUNTER | _ASCII])
        + bytes([0xF0 | file_key, meta_key << 4 | file_key])
        + file.picc_offset.to_bytes(3, "little")
        + file.mac_offset.to_bytes(3, "little") * 2
    )
    session.command("new settings of its file", 0x5F, bytes([NDEF_FILE]), settings, mode="full")
