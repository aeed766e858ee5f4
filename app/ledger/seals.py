"""The seals: recompute what was signed, and say which operation is not as it was. Heads can be taken along and checked
later by someone who has the public key only.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ledger.rules.operations import Transfer
from app.ledger.rules.sealing import GENESIS, link_digest, operation_digest
from app.ledger.tables import head, operation, seal, transfer

# Read at once: some megabytes, whatever the length of the history.
SEALS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class SealedHead:
    """The end of the chain at some time: everything up to `operation` is fixed by `digest`."""

    seal: int
    operation: int
    digest: bytes
    signature: bytes
    sealed_at_us: int

    def text(self, key: Ed25519PublicKey) -> str:
        """As a JSON document to take along."""
        return json.dumps(
            {
                "comptoir": "sealed head 1",
                "seal": self.seal,
                "operation": self.operation,
                "digest": self.digest.hex(),
                "signature": base64.b64encode(self.signature).decode(),
                "sealed_at_us": self.sealed_at_us,
                "public_key": key_text(key),
            },
            indent=2,
        )

    @classmethod
    def read(cls, text: str) -> tuple[SealedHead, Ed25519PublicKey]:
        """A head from its document, and the key it names. ValueError when it is none."""
        try:
            it = json.loads(text)
            found = cls(
                int(it["seal"]),
                int(it["operation"]),
                bytes.fromhex(it["digest"]),
                base64.b64decode(it["signature"]),
                int(it["sealed_at_us"]),
            )
            return found, key_of(it["public_key"])
        except (KeyError, TypeError, binascii.Error, json.JSONDecodeError) as error:
            raise ValueError("this is not a sealed head") from error

    def is_signed_by(self, key: Ed25519PublicKey) -> bool:
        return _signed(key, self.signature, self.digest)


def key_text(key: Ed25519PublicKey) -> str:
    return base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def key_of(text: str) -> Ed25519PublicKey:
    """A public key from base64. ValueError."""
    return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))


async def newest(connection: AsyncConnection) -> SealedHead | None:
    return await named(connection, sa.select(sa.func.max(seal.c.id)).scalar_subquery())


async def named(connection: AsyncConnection, number: Any) -> SealedHead | None:
    row = (await connection.execute(sa.select(seal).where(seal.c.id == number))).one_or_none()
    if row is None:
        return None
    return SealedHead(row.id, row.last_operation, bytes(row.digest), bytes(row.signature), row.sealed_at_us)


async def findings(connection: AsyncConnection, key: Ed25519PublicKey, after: int = 0) -> AsyncIterator[str]:
    """What of the history since seal `after` is not as it was sealed, a sentence each; the first names the place."""
    link = await named(connection, after) if after else None
    if after and link is None:
        yield f"seal {after}, up to which the history was verified before, is gone"
        return
    previous, sealed = (link.digest, link.operation) if link else (GENESIS, 0)
    number = after
    while rows := await _seals(connection, number):
        operations = await _operations(connection, rows[0].first_operation, rows[-1].last_operation)
        for row in rows:
            number += 1
            if row.id != number or row.first_operation != sealed + 1:
                yield f"seal {number} is missing: the history after operation {sealed} has a hole"
                number = row.id
            wrong, digests = _compare(row, operations)
            for sentence in wrong:
                yield sentence
            digest = bytes(row.digest)
            expected = link_digest(previous, row.id, row.first_operation, row.last_operation, digests)
            if not wrong and digest != expected:
                yield (
                    f"operations {row.first_operation} to {row.last_operation} are not those that seal {row.id} was "
                    "made over: they were exchanged, reordered or rewritten"
                )
            if not _signed(key, bytes(row.signature), digest):
                yield f"seal {row.id} does not bear this server's signature: the history was written by someone else"
            previous, sealed = digest, row.last_operation
    end = (await connection.execute(sa.select(head))).one()
    if end.seal_id != number or bytes(end.seal_digest) != previous:
        yield f"the ledger's head names seal {end.seal_id}, the chain ends at {number}"
    unsealed = await connection.execute(
        sa.select(operation.c.seq).where(operation.c.seq > sealed).order_by(operation.c.seq).limit(20)
    )
    for row in unsealed:
        yield f"operation {row.seq} bears no seal: it was inserted"


def _compare(row: Any, operations: dict[int, tuple[bytes, bytes]]) -> tuple[list[str], list[bytes]]:
    """(what is wrong with the operations of a seal, their digests as kept)."""
    wrong, digests = [], []
    for seq in range(row.first_operation, row.last_operation + 1):
        found = operations.get(seq)
        if found is None:
            wrong.append(f"operation {seq} was deleted")
            continue
        kept, computed = found
        digests.append(kept)
        if kept != computed:
            wrong.append(f"operation {seq} was altered after it was sealed")
    return wrong, digests


async def _seals(connection: AsyncConnection, after: int) -> list[Any]:
    query = sa.select(seal).where(seal.c.id > after).order_by(seal.c.id).limit(SEALS_AT_ONCE)
    return list(await connection.execute(query))


async def _operations(connection: AsyncConnection, first: int, last: int) -> dict[int, tuple[bytes, bytes]]:
    """(digest as kept, digest as computed from the rows) by sequence number."""
    moved: dict[int, list[Transfer]] = {}
    rows = list(
        await connection.execute(
            sa.select(operation).where(operation.c.seq.between(first, last)).order_by(operation.c.seq)
        )
    )
    if not rows:
        return {}
    low = min(row.first_transfer for row in rows)
    high = max(row.first_transfer + row.transfers for row in rows)
    query = sa.select(transfer).where(transfer.c.id >= low, transfer.c.id < high).order_by(transfer.c.id)
    for t in await connection.execute(query):
        it = Transfer(t.id, t.debit_account, t.credit_account, t.amount, t.debit_after, t.credit_after, t.reverses)
        moved.setdefault(t.operation_seq, []).append(it)
    return {row.seq: (bytes(row.digest), _digest(row, moved.get(row.seq, []))) for row in rows}


def _digest(row: Any, transfers: list[Transfer]) -> bytes:
    return operation_digest(
        id_=row.id,
        seq=row.seq,
        kind=row.kind,
        fingerprint=bytes(row.fingerprint),
        actor=row.actor,
        venue=row.venue,
        terminal=row.terminal,
        occurred_at_us=row.occurred_at_us,
        booked_at_us=row.booked_at_us,
        business_day=row.business_day,
        late=row.late,
        policy=row.policy,
        reverses=row.reverses,
        details=row.details,
        transfers=transfers,
    )


def _signed(key: Ed25519PublicKey, signature: bytes, digest: bytes) -> bool:
    try:
        key.verify(signature, digest)
    except InvalidSignature:
        return False
    return True
