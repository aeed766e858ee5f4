"""The keys of many cards in few bytes, as a terminal gets them: 22 bytes and the UID for each card.

chip (1 byte), number of the key on the chip (1), DESFire application (3), length of the UID (1), UID, key (16).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from app.rules.chips.diversify import card_key

KeyedChip = Literal["ntag424", "desfire", "desfire_ev1", "ultralight_aes"]
"""Chips that can prove a key. DESFire EV1 has no EV2First: it proves by AuthenticateAES."""

CHIPS: Final[tuple[KeyedChip, ...]] = get_args(KeyedChip)
KEY_BYTES: Final = 16
APPLICATION_BYTES: Final = 3
UID_SIZES: Final = (4, 7, 10)
# Our application on a DESFire, and what sets our keys apart from those of other systems on the same card.
APPLICATION: Final = b"CMP"
# The key that a till proves a card with. Others of the chip change its keys and its files: they stay at the desk.
TILL_KEY: Final[dict[KeyedChip, int]] = {"ntag424": 1, "desfire": 1, "desfire_ev1": 1, "ultralight_aes": 0}
# Those by which an NTAG 424 DNA makes the message in its address: one encrypts, one signs. Terminals never have them.
META_KEY: Final = 2
FILE_KEY: Final = 3
# How many keys each has, all of them ours once a desk has written it.
KEYS_ON: Final[dict[KeyedChip, int]] = {"ntag424": 5, "desfire": 5, "desfire_ev1": 5, "ultralight_aes": 2}
_GROUP: Final = struct.Struct(">QI")
_HEAD: Final = struct.Struct(f">BB{APPLICATION_BYTES}sB")


@dataclass(frozen=True, slots=True)
class CardKey:
    """The key that one card holds. `application`: a DESFire's AID as on the wire. The key is never shown."""

    chip: KeyedChip
    key: bytes = field(repr=False)
    key_no: int = 0
    application: bytes = b""


def derived(master: bytes, uid: bytes, key_no: int, version: int) -> bytes:
    """One key of one card (AN10922). `version`: of all the card's keys, 1 to 255."""
    return card_key(master, uid, APPLICATION + bytes((key_no, version)))


def till_key(master: bytes, uid: bytes, chip: KeyedChip, version: int) -> CardKey:
    """What a terminal is given of a card."""
    number = TILL_KEY[chip]
    application = APPLICATION if chip.startswith("desfire") else b""
    return CardKey(chip, derived(master, uid, number, version), number, application)


def packed(groups: Mapping[int | None, Iterable[tuple[bytes, CardKey]]]) -> bytes:
    """(UID, key) of each card, by the instant until which it may be used (microseconds since the epoch, None: for
    good). Each group: that instant (8 bytes, 0: for good), the length of its records (4), records."""
    parts: list[bytes] = []
    for until_us, cards in groups.items():
        records: list[bytes] = []
        for uid, it in cards:
            application = it.application.ljust(APPLICATION_BYTES, b"\0")
            records += (_HEAD.pack(CHIPS.index(it.chip), it.key_no, application, len(uid)), uid, it.key)
        content = b"".join(records)
        parts += (_GROUP.pack(until_us or 0, len(content)), content)
    return b"".join(parts)


def unpacked(content: bytes) -> dict[bytes, tuple[CardKey, int | None]]:
    """(key, until when) by UID. ValueError: these bytes are not what `packed` makes."""
    found: dict[bytes, tuple[CardKey, int | None]] = {}
    at = 0
    while at < len(content):
        if at + _GROUP.size > len(content):
            raise ValueError("a group of keys is cut off")
        until_us, length = _GROUP.unpack_from(content, at)
        at += _GROUP.size
        if at + length > len(content):
            raise ValueError("a group of keys is cut off")
        found.update({uid: (key, until_us or None) for uid, key in _records(content[at : at + length])})
        at += length
    return found


def _records(content: bytes) -> Iterator[tuple[bytes, CardKey]]:
    at = 0
    while at < len(content):
        if at + _HEAD.size > len(content):
            raise ValueError("a card's record is cut off")
        chip, key_no, application, length = _HEAD.unpack_from(content, at)
        at += _HEAD.size
        end = at + length + KEY_BYTES
        if chip >= len(CHIPS) or length not in UID_SIZES or end > len(content):
            raise ValueError("a card's record makes no sense")
        key = content[at + length : end]
        is_desfire = CHIPS[chip].startswith("desfire")
        yield content[at : at + length], CardKey(CHIPS[chip], key, key_no, application if is_desfire else b"")
        at = end
