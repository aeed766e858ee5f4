"""Card models, bytes in and bytes out: no radio, no CRC.

`process(command)` returns the answer's frame without its CRC, or None where a real card stays silent, which a reader
sees as a timeout. One byte is the 4-bit ACK (0A) or NAK (00) of the Type 2 command set (NXP NTAG213/215/216 data sheet,
chapter 10).
"""

from __future__ import annotations

from functools import reduce
from operator import xor
from typing import Protocol

ACK, NAK = b"\x0a", b"\x00"
UID_SIZES = (4, 7, 10)
# The first byte of SENS_RES says how long the UID is (NFC Forum Digital Protocol, "SENS_RES Response").
_SENS_RES = {4: b"\x04\x00", 7: b"\x44\x00", 10: b"\x84\x00"}

_PAGE_SIZE = 4
_LOCK_PAGE, _CC_PAGE, _USER_PAGE = 2, 3, 4
# A short record of one TLV; longer ones are laid out in another way, and no address is that long.
_PAYLOAD_MAX = 245
_DYNAMIC_FROM = 16
_FROZEN = 0x40
_FACTORY_PASSWORD = b"\xff\xff\xff\xff"
_CONFIG = bytes.fromhex("040000ff 00050000 ffffffff 00000000")


class Card(Protocol):
    """What lies in the field; the field itself does anticollision and selection from these three attributes."""

    @property
    def uid(self) -> bytes: ...

    @property
    def sens_res(self) -> bytes: ...

    @property
    def sel_res(self) -> bytes: ...

    def power_on(self) -> None:
        """The field came up, or went down and up again: the card forgets its session."""

    def process(self, command: bytes) -> bytes | None:
        """The answer to one command frame, or None for silence."""


class UidCard:
    """A card known by its UID alone, of 4, 7 or 10 bytes, that answers nothing after it was selected."""

    sel_res = b"\x00"

    def __init__(self, uid: bytes) -> None:
        if len(uid) not in UID_SIZES:
            raise ValueError(f"a UID has 4, 7 or 10 bytes, not {len(uid)}")
        self.uid = uid
        self.sens_res = _SENS_RES[len(uid)]

    def power_on(self) -> None:
        """Nothing to forget."""

    def process(self, command: bytes) -> bytes | None:  # noqa: ARG002
        return None


class Ntag213(UidCard):
    """An NTAG213 as it leaves a card printer: 7-byte UID, an NDEF record with the holder's page, no password.

    `url` must fit the chip. With a `password`, all pages from the first of the user's on are written only after it, and
    answered by `acknowledgement`. Reads are counted, one for each time the card comes into the field.
    """

    pages = 45
    # From page 16 on a bit of the dynamic locks is for so many pages.
    _pages_a_lock = 2
    _version = bytes.fromhex("0004040201000f03")
    _capability_container = bytes.fromhex("e1101200")

    def __init__(
        self,
        uid: bytes,
        url: str | None = None,
        *,
        signature: bytes = bytes(32),
        password: bytes | None = None,
        acknowledgement: bytes = bytes(2),
    ) -> None:
        if len(uid) != 7:
            raise ValueError(f"an NTAG213 has a UID of 7 bytes, not {len(uid)}")
        super().__init__(uid)
        self.taps = 0
        self._signature = signature
        self._password = password
        self._acknowledgement = acknowledgement
        message = b"" if url is None else _uri_record(url)
        ndef = b"\x03" + bytes([len(message)]) + message + b"\xfe"
        self._config_page = self.pages - 4
        if len(ndef) > (self._config_page - 1 - _USER_PAGE) * _PAGE_SIZE:
            raise ValueError(f"the address does not fit an NTAG213: {url}")
        self._memory = bytearray(self.pages * _PAGE_SIZE)
        self._put(0, uid[:3] + bytes([_bcc(b"\x88" + uid[:3])]) + uid[3:] + bytes([_bcc(uid[3:]), 0x48]))
        self._put(_CC_PAGE, self._capability_container)
        self._put(_USER_PAGE, ndef)
        self._put(self._config_page, _CONFIG)
        if password is not None:
            self._put(self._config_page, bytes([4, 0, 0, _USER_PAGE]))
        self.power_on()

    def power_on(self) -> None:
        self._unlocked = self._counted = False
        # What is set of the configuration holds from the next power on.
        self._frozen = bool(self._memory[(self._config_page + 1) * _PAGE_SIZE] & _FROZEN)

    def process(self, command: bytes) -> bytes | None:
        match command[0], len(command):
            case 0x60, 1:
                return self._version
            case 0x3C, 2:
                return self._signature
            case 0x39, 2 if command[1] == 2:
                return self.taps.to_bytes(3, "little")
            case 0x1B, 5:
                self._unlocked = command[1:] == (self._password or _FACTORY_PASSWORD)
                return self._acknowledgement if self._unlocked else NAK
            case 0x30, 2 if command[1] < self.pages:
                self._count()
                # A READ past the last page rolls over to the first.
                return b"".join(self._page((command[1] + i) % self.pages) for i in range(4))
            case 0x3A, 3 if command[1] <= command[2] < self.pages:
                self._count()
                return b"".join(self._page(n) for n in range(command[1], command[2] + 1))
            case 0xA2, 6 if _LOCK_PAGE <= command[1] < self.pages and self._may_write(command[1]):
                self._write(command[1], command[2:])
                return ACK
            case 0x50, _:
                return None
        return NAK

    def _count(self) -> None:
        self.taps += not self._counted
        self._counted = True

    def _may_write(self, page: int) -> bool:
        if self._locked(page) or (self._frozen and self._config_page <= page < self._config_page + 2):
            return False
        return self._unlocked or page < self._memory[self._config_page * _PAGE_SIZE + 3]

    def _locked(self, page: int) -> bool:
        if _CC_PAGE <= page < _DYNAMIC_FROM:
            bits = int.from_bytes(self._memory[_LOCK_PAGE * _PAGE_SIZE + 2 :][:2], "little")
            return bool(bits >> page & 1)
        if _DYNAMIC_FROM <= page < self._config_page - 1:
            bits = int.from_bytes(self._memory[(self._config_page - 1) * _PAGE_SIZE :][:2], "little")
            return bool(bits >> (page - _DYNAMIC_FROM) // self._pages_a_lock & 1)
        return False

    def _write(self, page: int, data: bytes) -> None:
        if page in (_LOCK_PAGE, _CC_PAGE, self._config_page - 1):
            # The chip's own bytes stay; of the others bits only rise.
            own = 2 if page == _LOCK_PAGE else 0
            was = self._memory[page * _PAGE_SIZE :]
            data = bytes(old | new for old, new in zip(was, bytes(own) + data[own:], strict=False))
        self._put(page, data)

    def _put(self, page: int, data: bytes) -> None:
        self._memory[page * _PAGE_SIZE : page * _PAGE_SIZE + len(data)] = data

    def _page(self, number: int) -> bytes:
        if number >= self._config_page + 2:
            return bytes(_PAGE_SIZE)  # The password and its answer always read as zeros.
        return bytes(self._memory[number * _PAGE_SIZE : (number + 1) * _PAGE_SIZE])


class Ntag215(Ntag213):
    pages = 135
    _pages_a_lock = 16
    _version = bytes.fromhex("0004040201001103")
    _capability_container = bytes.fromhex("e1103e00")


class Ntag216(Ntag213):
    pages = 231
    _pages_a_lock = 16
    _version = bytes.fromhex("0004040201001303")
    _capability_container = bytes.fromhex("e1106d00")


def card_with_uid(uid: bytes, url: str | None = None) -> Card:
    """The model that has such a UID: an NTAG213 for 7 bytes, a bare UID otherwise (`url` then has no place on it)."""
    return Ntag213(uid, url) if len(uid) == 7 else UidCard(uid)


def _bcc(part: bytes) -> int:
    return reduce(xor, part)


def _uri_record(url: str) -> bytes:
    """One short NDEF record of type URI (NFC Forum RTD URI 1.0; prefix code 04 stands for https://)."""
    prefix, rest = (b"\x04", url[8:]) if url.startswith("https://") else (b"\x00", url)
    payload = prefix + rest.encode()
    if len(payload) > _PAYLOAD_MAX:
        raise ValueError(f"the address does not fit an NTAG213: {url}")
    return b"\xd1\x01" + bytes([len(payload)]) + b"U" + payload
