"""NXP's commands wrapped as ISO/IEC 7816-4 APDUs: `90 INS 00 00 Lc data 00`, answered by data and `91 status`."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from readers.cardauth.errors import Malformed, Refused

Transceive = Callable[[bytes], bytes]
"""Sends one command APDU to the card and returns its answer."""

OK, MORE = 0x00, 0xAF
# ReadSig ends with this one on an NTAG 424 DNA (NT4H2421Gx data sheet, 10.10.1).
_SIGNATURE_OK = 0x90
_DATA_MAX = 255
_PARTS_MAX = 8


class Answer(NamedTuple):
    status: int
    data: bytes


def send(transceive: Transceive, instruction: int, data: bytes = b"") -> Answer:
    """ValueError: more than 255 bytes of data. Raises Malformed and what the exchange raises."""
    if len(data) > _DATA_MAX:
        raise ValueError(f"a command carries at most {_DATA_MAX} bytes, not {len(data)}")
    length = bytes([len(data)]) if data else b""
    got = transceive(bytes([0x90, instruction, 0, 0]) + length + data + b"\x00")
    if len(got) < 2 or got[-2] != 0x91:
        raise Malformed(f"this is no answer to command {instruction:02X}")
    return Answer(got[-1], got[:-2])


def ask(transceive: Transceive, name: str, instruction: int, data: bytes = b"") -> bytes:
    """A command that must succeed, with all parts of its answer. Raises Refused, Malformed."""
    answer = send(transceive, instruction, data)
    whole = answer.data
    for _ in range(_PARTS_MAX):
        if answer.status != MORE:
            break
        answer = send(transceive, MORE)
        whole += answer.data
    if answer.status != OK:
        raise Refused(name, answer.status)
    return whole


def select_by_name(transceive: Transceive, name: bytes) -> None:
    """ISOSelectFile by DF name. Raises Refused, Malformed."""
    got = transceive(b"\x00\xa4\x04\x0c" + bytes([len(name)]) + name + b"\x00")
    if len(got) < 2:
        raise Malformed("this is no answer to a selection")
    if got[-2:] != b"\x90\x00":
        raise Refused("to select the application", int.from_bytes(got[-2:]))


def read_signature(transceive: Transceive) -> bytes:
    """The maker's 56-byte signature over the UID (ReadSig). Raises Refused, Malformed."""
    answer = send(transceive, 0x3C, b"\x00")
    if answer.status not in (OK, _SIGNATURE_OK):
        raise Refused("its signature", answer.status)
    if len(answer.data) != 56:
        raise Malformed(f"a signature has 56 bytes, not {len(answer.data)}")
    return answer.data


class Version(NamedTuple):
    """GetVersion: what the chip is. `uid` is zeros where the chip hides it.

    `kind`: 01 DESFire, 04 NTAG, 08 DESFire Light. `major` of the hardware: 12 is EV2, 33 EV3, 30 an NTAG 424 DNA.
    """

    kind: int
    major: int
    uid: bytes


def get_version(transceive: Transceive) -> Version:
    """Raises Refused, Malformed."""
    data = ask(transceive, "its version", 0x60)
    if len(data) not in (28, 29, 33):
        raise Malformed(f"a version has 28 bytes, not {len(data)}")
    return Version(data[1], data[3], data[14:21])
