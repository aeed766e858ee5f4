"""Numbers of chips, as people, suppliers and readers spell them; and codes that people type."""

from __future__ import annotations

import re
from typing import Final

_SEPARATORS: Final = re.compile(r"[\s:.\-_]+")
# 4, 7 or 10 bytes (ISO/IEC 14443-3, 6.5.4), as app.wire.base.CardUid has them.
_UID: Final = re.compile(r"(?:[0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20})")


def read_uid(text: str) -> str | None:
    """Upper-case hexadecimal, whole; None for what is no number of a chip. "04:a1:b2:c3", "0x04A1B2C3" are."""
    bare = _SEPARATORS.sub("", text).upper().removeprefix("0X")
    return bare if _UID.fullmatch(bare) else None


# What stands in for a chip where there is none yet: ten bytes that begin with a maker's code that nobody has (ISO/IEC
# 7816-6), so that no card a reader meets is called so.
_ON_PHONE: Final = "00"
_ON_PHONE_BYTES: Final = 9


def phone_uid(random: bytes) -> str:
    """The number of a card that is only an address on somebody's phone, of nine random bytes."""
    return _ON_PHONE + random[:_ON_PHONE_BYTES].hex().upper()


def is_phone_uid(uid: str) -> bool:
    return len(uid) == 2 * (_ON_PHONE_BYTES + 1) and uid.startswith(_ON_PHONE)


# Figures and letters that nobody takes for another: no 0, 1, I, L, O. 31 is prime, which the check letter lives on.
RECOVERY_LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
# 15 of 31 are 74 bits, and a check letter.
RECOVERY_LENGTH: Final = 16
# On the card's back beside its address, which is a secret of 128 bits itself: 7 of 31 are 34 bits, tried a few times.
CLAIM_LENGTH: Final = 8
_GROUP: Final = 4


def recovery_code(random: bytes) -> str:
    """A recovery code of 32 random bytes, as people write it: "7K3M-9QXT-2FHD-W8PC"."""
    return _code(random, RECOVERY_LENGTH)


def claim_code(random: bytes) -> str:
    """The code on a card's back, of 32 random bytes: "7K3M-9QXT"."""
    return _code(random, CLAIM_LENGTH)


def read_recovery_code(typed: str) -> str | None:
    """The code however it was typed (spaces, dashes, small letters); None for what can be none: each letter that is
    wrong, and any two that are swapped, change the weighted sum."""
    return _read(typed, RECOVERY_LENGTH)


def read_claim_code(typed: str) -> str | None:
    return _read(typed, CLAIM_LENGTH)


def _code(random: bytes, length: int) -> str:
    number, places = int.from_bytes(random), []
    for _ in range(length - 1):
        number, place = divmod(number, len(RECOVERY_LETTERS))
        places.append(place)
    # With it the weighted sum of all is 0 modulo 31.
    places.append(-pow(length, -1, len(RECOVERY_LETTERS)) * _weighed(places) % len(RECOVERY_LETTERS))
    return _grouped("".join(RECOVERY_LETTERS[it] for it in places))


def _read(typed: str, length: int) -> str | None:
    letters = "".join(it for it in typed.upper() if it.isalnum())
    if len(letters) != length or not set(letters) <= set(RECOVERY_LETTERS):
        return None
    if _weighed([RECOVERY_LETTERS.index(it) for it in letters]) % len(RECOVERY_LETTERS):
        return None
    return _grouped(letters)


def _grouped(letters: str) -> str:
    return "-".join(letters[i : i + _GROUP] for i in range(0, len(letters), _GROUP))


def _weighed(places: list[int]) -> int:
    return sum(weight * it for weight, it in enumerate(places, 1))
