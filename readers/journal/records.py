"""What the journal hands out: the pairing, and rows as their readers need them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from app.wire import AnyRow, CardActRow, SaleRow

Halt = Literal["quarantined", "revoked", "behind"]
"""Why selling stopped: the server found a fork, took our rights away, or holds rows that this journal lost."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """One device and epoch, as the server gave them. `server_key`: base64 of its Ed25519 public key.

    `code_digest` is the SHA-256 (hex) of the one-time code, so that a start command that still names it pairs once.
    """

    number: int
    device: UUID
    epoch: int
    name: str
    venue: UUID
    venue_name: str
    server_key: str
    code_digest: str
    halted: Halt | None


@dataclass(frozen=True, slots=True)
class OwnRow:
    """A row that asks for something to be booked. `undone`: what a void takes back (None: not in this journal)."""

    sequence: int
    payload: AnyRow
    undone: AnyRow | None


@dataclass(frozen=True, slots=True)
class PaidSale:
    """One of the last sales, whether staff undid it, and the sequence of its row in this epoch."""

    row: SaleRow
    voided: bool
    sequence: int


@dataclass(frozen=True, slots=True)
class Made:
    """One of the last things that were done here for a customer, as PaidSale."""

    row: SaleRow | CardActRow
    voided: bool
    sequence: int
