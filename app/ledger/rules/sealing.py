"""The bytes that seals are made over. Whoever has the rows can make them again; only who has the key can sign them.

Every field has a fixed width or stands behind its length, so no two operations share an encoding.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from datetime import date
from hashlib import sha256
from uuid import UUID

from app.ledger.rules.operations import Operation, Posted, Transfer

# What the first seal names as the link before it.
GENESIS = bytes(32)

_NUMBERS = struct.Struct(">QqqIB")
_TRANSFER = struct.Struct(">QQQQqqQ")
_LENGTH = struct.Struct(">I")
_NOBODY = bytes(16)


def operation_digest(
    *,
    id_: UUID,
    seq: int,
    kind: str,
    fingerprint: bytes,
    actor: str,
    venue: UUID | None,
    terminal: UUID | None,
    occurred_at_us: int,
    booked_at_us: int,
    business_day: date,
    late: bool,
    policy: str,
    reverses: UUID | None,
    details: str,
    transfers: Iterable[Transfer],
) -> bytes:
    """SHA-256 of one operation as it stands in the ledger, with its transfers."""
    parts = [
        b"comptoir-operation-1",
        id_.bytes,
        _NUMBERS.pack(seq, occurred_at_us, booked_at_us, business_day.toordinal(), late),
        *((it.bytes if it else _NOBODY) for it in (venue, terminal, reverses)),
    ]
    for text in (kind, actor, policy, details):
        encoded = text.encode()
        parts += (_LENGTH.pack(len(encoded)), encoded)
    parts += (_LENGTH.pack(len(fingerprint)), fingerprint)
    parts += [
        _TRANSFER.pack(t.id, t.debit, t.credit, t.amount, t.debit_after, t.credit_after, t.reverses or 0)
        for t in transfers
    ]
    return sha256(b"".join(parts)).digest()


def digest_of(operation: Operation, posted: Posted, booked_at_us: int) -> bytes:
    """The digest of an operation that is about to be written."""
    return operation_digest(
        id_=operation.id,
        seq=posted.seq,
        kind=operation.kind,
        fingerprint=operation.fingerprint,
        actor=operation.actor,
        venue=operation.venue,
        terminal=operation.terminal,
        occurred_at_us=operation.occurred_at_us,
        booked_at_us=booked_at_us,
        business_day=operation.business_day,
        late=operation.late,
        policy=operation.policy,
        reverses=operation.reverses,
        details=operation.details,
        transfers=posted.transfers,
    )


def link_digest(previous: bytes, seal_id: int, first: int, last: int, digests: Iterable[bytes]) -> bytes:
    """SHA-256 of one link: where it stands, what came before it, and the operations `first` to `last`."""
    head = b"comptoir-seal-1" + previous + struct.pack(">QQQ", seal_id, first, last)
    return sha256(head + b"".join(digests)).digest()
