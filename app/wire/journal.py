"""The terminal's journal as it travels: rows chained by hash, in batches signed by the device.

Hashes and signatures are made over the stored bytes, never over JSON written again.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter

from app.rules.offline import Refusal
from app.wire.acts import CreditRow, RefundRow, TopUpRow
from app.wire.base import CardUid, InstantUs, Message, Row, Sequence, Sha256Hex
from app.wire.door import PassageRow
from app.wire.sale import Sale
from app.wire.tickets import TicketsBackRow
from app.wire.till import CashRow, ClosingRow, CountRow, SessionRow
from app.wire.training import TrainingRow

# What the first row of an epoch names as its predecessor.
GENESIS = "0" * 64


class IntentRow(Row):
    """A basket waits for a card. Written before the card is asked for, so that a crash leaves its id behind."""

    kind: Literal["intent"] = "intent"
    sale: UUID
    at_us: InstantUs

    @property
    def subject(self) -> UUID:
        return self.sale


class SaleRow(Row):
    """The beer was poured. `online`: the server booked it first; `offline`: this terminal decided."""

    kind: Literal["sale"] = "sale"
    mode: Literal["online", "offline"]
    sale: Sale
    unbacked: dict[str, int] = Field(default_factory=dict)

    @property
    def subject(self) -> UUID:
        return self.sale.id

    @property
    def event(self) -> UUID:
        return self.sale.id


class RefusedRow(Row):
    """The light turned red; kept as evidence, nothing is booked."""

    kind: Literal["refused"] = "refused"
    sale: UUID
    card: CardUid | None
    reason: Refusal
    at_us: InstantUs

    @property
    def subject(self) -> UUID:
        return self.sale


class CancelRow(Row):
    """The sale `sale` must not stand: reverse it if it was booked, refuse it if it comes later."""

    kind: Literal["cancel"] = "cancel"
    id: UUID
    sale: UUID
    at_us: InstantUs

    @property
    def subject(self) -> UUID:
        return self.sale

    @property
    def event(self) -> UUID:
        return self.id


class VoidRow(Row):
    """Staff undo a sale that was paid: the money goes back to the card it came from."""

    kind: Literal["void"] = "void"
    id: UUID
    sale: UUID
    reason: Annotated[str, Field(min_length=1, max_length=200)]
    cashier: UUID | None = None
    at_us: InstantUs

    @property
    def subject(self) -> UUID:
        return self.sale

    @property
    def event(self) -> UUID:
        return self.id


class SoldOutRow(Row):
    """Staff say that a product is sold out at this venue, or that there is some again. It moves nothing."""

    kind: Literal["sold_out"] = "sold_out"
    id: UUID
    product: UUID
    sold_out: bool
    cashier: UUID | None = None
    at_us: InstantUs

    @property
    def subject(self) -> UUID:
        return self.id


# Every kind of row; a new one is added here and nowhere else on the wire.
AnyRow = (
    IntentRow
    | SaleRow
    | RefusedRow
    | CancelRow
    | VoidRow
    | TopUpRow
    | RefundRow
    | CreditRow
    | SessionRow
    | CashRow
    | CountRow
    | ClosingRow
    | TrainingRow
    | SoldOutRow
    | PassageRow
    | TicketsBackRow
)
Payload = Annotated[AnyRow, Field(discriminator="kind")]
_PAYLOAD: TypeAdapter[AnyRow] = TypeAdapter(Payload)


def read_payload(text: str) -> AnyRow:
    """The row's stored bytes as a message; pydantic's ValidationError when they are none."""
    return _PAYLOAD.validate_json(text)


class JournalRow(Message):
    """`payload` is the stored text itself."""

    sequence: Sequence
    previous: Sha256Hex
    hash: Sha256Hex
    payload: Annotated[str, Field(max_length=64_000)]


def row_hash(device: UUID, epoch: int, sequence: int, previous: str, payload: str) -> str:
    """SHA-256 (hex) of one row: who, when in order, what came before, and the stored bytes."""
    digest = hashlib.sha256(b"comptoir-row-1")
    digest.update(device.bytes + epoch.to_bytes(8, "big") + sequence.to_bytes(8, "big") + bytes.fromhex(previous))
    digest.update(payload.encode())
    return digest.hexdigest()


class Batch(Message):
    """Rows `rows[0].sequence` to `rows[-1].sequence`, without gaps, of one epoch of one device."""

    device: UUID
    epoch: Annotated[int, Field(ge=1, le=2**31, strict=True)]
    rows: Annotated[tuple[JournalRow, ...], Field(min_length=1, max_length=500)]
    sent_at_us: InstantUs
    waiting: Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)] = 0
    signature: Annotated[str, Field(max_length=128, description="base64 of Ed25519 over batch_message()")]

    def message(self) -> bytes:
        """The bytes that the device signs."""
        return batch_message(self.device, self.epoch, self.rows[0].sequence, self.rows[-1].sequence, self.rows[-1].hash)


def batch_message(device: UUID, epoch: int, first: int, last: int, head: str) -> bytes:
    """The head's hash covers every row before it, so device, epoch, range and head are all there is to sign."""
    return (
        b"comptoir-batch-1"
        + device.bytes
        + b"".join(n.to_bytes(8, "big") for n in (epoch, first, last))
        + bytes.fromhex(head)
    )


class SyncReply(Message):
    """`acknowledged`: the highest sequence up to which the server holds everything. A gap asks for `resend_from`."""

    acknowledged: Annotated[int, Field(ge=0)]
    resend_from: int | None = None
    quarantined: bool = False
    exceptions: tuple[UUID, ...] = ()
    server_time_us: InstantUs
