"""What changed between two snapshots of one terminal, and the name of a snapshot's content by which both sides know
that they speak of the same.

The name is taken over the head (all but the cards) and the sum of all cards' hashes, so that either side brings it up
to date by what changed, whatever the number of cards. It guards against mistakes; forgery is what the signature over
the bytes that travel is for, and the name is within them.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Literal
from uuid import UUID

from pydantic import JsonValue

from app.wire.base import InstantUs, Message, Sha256Hex
from app.wire.snapshot import SnapshotCard, TerminalSnapshot

# Cards' hashes are summed up modulo this.
SUMS = 1 << 256


class SnapshotDelta(Message):
    """Makes the snapshot named `content` of the one named `base`, and of no other.

    `head`: fields of TerminalSnapshot with new values. `cards`: those that are new or changed, whole. `gone`: UIDs.
    """

    version: Literal[1] = 1
    at_us: InstantUs
    device: UUID
    base: Sha256Hex
    content: Sha256Hex
    head: dict[str, JsonValue]
    cards: tuple[SnapshotCard, ...]
    gone: tuple[str, ...]


def card_hash(card: bytes) -> int:
    """Of a card's JSON as it travels: compact, with its members in the order of SnapshotCard."""
    return int.from_bytes(sha256(card).digest(), "big")


def content_of(head: TerminalSnapshot, cards: int) -> str:
    """The content's name; `cards` is the sum of their hashes."""
    bare = head.model_copy(update={"at_us": 0, "cards": (), "content": ""})
    return sha256(bare.model_dump_json().encode() + (cards % SUMS).to_bytes(32, "big")).hexdigest()
