"""What a card carries of its offline sales: two slots of 64 bytes, of which the newer valid one counts.

A chip without a value file may be left with any part of a write. So a write goes over the older slot or the damaged
one, never over the slot that counts: whatever becomes of it, one whole slot stands.

One slot: format (1 byte), counter (1), `cleaned_ms` (6), then four times device (3), epoch (1), sequence (3), currency
(2), minor units (3), zeros where there is none; MAC (8) by a key made of the card's own. Of two valid slots the newer
one's counter is one more, modulo 256. The MAC tells a whole slot from a torn one, and from that of another card or of
keys that were written before; who may write at all is the chip's to say (EV2).
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from uuid import UUID

from app.rules.chips import aes

SLOT_BYTES: Final = 64
FILE_BYTES: Final = 2 * SLOT_BYTES
# Terminals (for each currency) whose sales a slot holds.
OWED_MAX: Final = 4
EPOCH_MAX: Final = 0xFF
SEQUENCE_MAX: Final = 0xFFFFFF
MINOR_MAX: Final = 0xFFFFFF
_FORMAT: Final = 1
_COUNTERS: Final = 256
_OWED: Final = 12
_KEY_MARK: Final = b"comptoir card v1"


@dataclass(frozen=True, slots=True, order=True)
class Owed:
    """What one terminal sold to the card without network, in its journal's rows of `epoch` up to `sequence`.

    `device` and `currency`: their short names (`short_device`, `short_currency`); `minor`: above 0.
    """

    device: bytes
    epoch: int
    sequence: int
    currency: bytes
    minor: int

    def __post_init__(self) -> None:
        fits = 0 <= self.epoch <= EPOCH_MAX and 0 <= self.sequence <= SEQUENCE_MAX and 0 < self.minor <= MINOR_MAX
        if not fits or len(self.device) != 3 or len(self.currency) != 2:
            raise ValueError("this does not fit in a slot")


@dataclass(frozen=True, slots=True)
class Carried:
    """What a card says. `cleaned_ms`: of what was sold before and is not in `owed`, a snapshot made at this instant
    (milliseconds since the epoch, the server's clock) knew all; 0: nothing was ever left out."""

    owed: tuple[Owed, ...] = ()
    cleaned_ms: int = 0

    def __post_init__(self) -> None:
        if len(self.owed) > OWED_MAX or not 0 <= self.cleaned_ms < 1 << 48:
            raise ValueError("this does not fit in a slot")


@dataclass(frozen=True, slots=True)
class Slots:
    """What was read: `carried` by the slot number `place`, whose counter is `counter`."""

    carried: Carried
    place: int
    counter: int


def short_device(device: UUID) -> bytes:
    """Three random bytes of a UUIDv7 or UUIDv4."""
    return device.bytes[-3:]


def short_currency(code: str) -> bytes:
    return sha256(code.encode()).digest()[:2]


def blank(key: bytes) -> bytes:
    """The whole file of a card that owes nothing."""
    return _packed(key, Carried(), 0) + bytes(SLOT_BYTES)


def read(key: bytes, file: bytes) -> Slots | None:
    """What counts of a file; None: neither slot is whole. `key`: the one that the card proves itself by."""
    found = [
        Slots(carried, place, file[place * SLOT_BYTES + 1])
        for place in range(2)
        if (carried := _unpacked(key, file[place * SLOT_BYTES : (place + 1) * SLOT_BYTES]))
    ]
    if len(found) == 2 and (found[1].counter - found[0].counter) % _COUNTERS == 1:
        return found[1]
    return found[0] if found else None


def written(key: bytes, before: Slots, carried: Carried) -> tuple[int, bytes]:
    """Where in the file (offset) the next state goes, and its bytes."""
    return (1 - before.place) * SLOT_BYTES, _packed(key, carried, (before.counter + 1) % _COUNTERS)


def _packed(key: bytes, carried: Carried, counter: int) -> bytes:
    head = bytes((_FORMAT, counter)) + carried.cleaned_ms.to_bytes(6)
    owed = b"".join(
        it.device + it.epoch.to_bytes(1) + it.sequence.to_bytes(3) + it.currency + it.minor.to_bytes(3)
        for it in carried.owed
    )
    body = head + owed.ljust(OWED_MAX * _OWED, b"\x00")
    return body + _mac(key, body)


def _unpacked(key: bytes, slot: bytes) -> Carried | None:
    body, mac = slot[:-8], slot[-8:]
    if len(slot) != SLOT_BYTES or body[0] != _FORMAT or not aes.same(_mac(key, body), mac):
        return None
    records = [body[at : at + _OWED] for at in range(8, len(body), _OWED)]
    try:
        owed = [
            Owed(it[:3], it[3], int.from_bytes(it[4:7]), it[7:9], int.from_bytes(it[9:])) for it in records if any(it)
        ]
    except ValueError:
        # Whole, and by a hand that writes otherwise than ours.
        return None
    return Carried(tuple(owed), int.from_bytes(body[2:8]))


def _mac(key: bytes, body: bytes) -> bytes:
    return aes.short_cmac(aes.cmac(key, _KEY_MARK), body)
