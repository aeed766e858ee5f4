"""Snapshots: checked against the server's key, decoded, and kept for a start without network."""

from __future__ import annotations

import gzip
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import UUID

import msgspec
from pydantic import ValidationError

from app.rules.offline import Assurance
from app.wire import SUMS, SnapshotDelta, TerminalSnapshot, card_hash, content_of
from readers.journal import Clock
from readers.sync.errors import SnapshotRefused
from readers.sync.keys import signed_by


class CardRecord(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """app.wire.SnapshotCard, decoded an order of magnitude faster and a third as large: there are 20,000 of them,
    every few seconds, next to a tap that must not wait."""

    uid: str
    status: Literal["active", "blocked"]
    assurance: Assurance
    balances: dict[str, int]
    memberships: tuple[tuple[str, str], ...] = ()
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """A snapshot that our server signed. `head` is all of it but the cards; `age_s` how old it was when it came in.

    `body` are the bytes that were signed: a whole snapshot, or the delta that made this one, whose `content` we have
    found to be that of `head` and `cards`. `total` is the sum of the cards' hashes. `base` is what a delta may start
    from: the content, if we name it as the server does; "" otherwise.
    """

    head: TerminalSnapshot
    cards: Mapping[str, CardRecord]
    body: bytes
    signature: str
    etag: str | None
    age_s: float
    total: int
    base: str


def read_snapshot(
    body: bytes, signature: str, server_key: str, device: UUID, *, etag: str | None = None, age_s: float = 0
) -> Received:
    """Check and decode a snapshot's bytes; SnapshotRefused."""
    if not signed_by(server_key, body, signature):
        raise SnapshotRefused("the signature is not our server's")
    head, cards = _parts(body)
    if head.device != device:
        raise SnapshotRefused(f"the snapshot is for {head.device}")
    total = _total(cards)
    base = head.content if head.content and head.content == content_of(head, total) else ""
    return Received(head, cards, body, signature, etag, max(0.0, age_s), total, base)


def apply_delta(
    held: Received, body: bytes, signature: str, server_key: str, *, etag: str | None = None, age_s: float = 0
) -> Received:
    """The snapshot that a delta makes of the one that we hold. SnapshotRefused: this one is not what it starts from,
    or what comes out is not what the server says: the whole snapshot is to be asked for."""
    if not signed_by(server_key, body, signature):
        raise SnapshotRefused("the signature is not our server's")
    try:
        parts = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        changed = msgspec.json.decode(parts.get("cards", b"[]"), type=list[CardRecord])
        delta = SnapshotDelta.model_validate_json(msgspec.json.encode({**parts, "cards": []}))
        if (delta.device, delta.base) != (held.head.device, held.base):
            raise SnapshotRefused("the delta starts from another snapshot")
        fields = {**held.head.model_dump(mode="json"), **delta.head}
        fields |= {"at_us": delta.at_us, "content": delta.content}
        head = TerminalSnapshot.model_validate_json(msgspec.json.encode(fields))
    except (msgspec.MsgspecError, ValidationError) as error:
        raise SnapshotRefused(f"the delta can't be read: {error}") from error
    # A copy, for a tap may be reading the one that we hold.
    cards, total = dict(held.cards), held.total
    for uid in (*delta.gone, *(card.uid for card in changed)):
        if (before := cards.pop(uid, None)) is not None:
            total -= _hash(before)
    for card in changed:
        cards[card.uid] = card
        total += _hash(card)
    total %= SUMS
    if content_of(head, total) != delta.content:
        raise SnapshotRefused("the delta does not make what the server says")
    return Received(head, cards, body, signature, etag, max(0.0, age_s), total, delta.content)


def _parts(body: bytes) -> tuple[TerminalSnapshot, dict[str, CardRecord]]:
    try:
        parts = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        cards = msgspec.json.decode(parts.get("cards", b"[]"), type=list[CardRecord])
        head = TerminalSnapshot.model_validate_json(msgspec.json.encode({**parts, "cards": []}))
    except (msgspec.MsgspecError, ValidationError) as error:
        raise SnapshotRefused(f"the snapshot can't be read: {error}") from error
    return head, {card.uid: card for card in cards}


def _hash(card: CardRecord) -> int:
    return card_hash(msgspec.json.encode(card))


def _total(cards: Mapping[str, CardRecord]) -> int:
    return sum(map(_hash, cards.values())) % SUMS


def is_delta(body: bytes) -> bool:
    """Which of the two documents this is; not whether it can be trusted."""
    try:
        return "base" in msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except msgspec.MsgspecError:
        return False


class SnapshotFile:
    """The last snapshot on disk, replaced whole: the bytes as signed, compressed, after one line about them. After a
    delta, that line holds the delta as it was signed, and the bytes are our own: they count for what the delta says.

    It is a file and not a row of the journal because it is written often and is large: a sale must not queue behind
    it for the disk. Any snapshot will do at a start, however old: it says itself which of our rows it contains.
    The file's modification time is when the server last said that this snapshot is current: the time that it was, and
    not what the wall clock said.
    """

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        self._path = path
        self._clock = clock or Clock()
        # A save whose task was cancelled goes on in its thread, beside the one that is made on the way out.
        self._writing = threading.Lock()

    def save(self, received: Received) -> None:
        """Replace the file. OSError: the one before still stands."""
        about = {"signature": received.signature, "etag": received.etag}
        body = received.body
        if is_delta(body):
            about["delta"] = body.decode()
            cards = list(received.cards.values())
            body = msgspec.json.encode({**received.head.model_dump(mode="json"), "cards": cards})
        line, packed = json.dumps(about).encode(), gzip.compress(body, 5)
        aside = self._path.with_suffix(".new")
        with self._writing:
            with aside.open("wb") as out:
                os.fchmod(out.fileno(), 0o600)
                out.write(line + b"\n" + packed)
                out.flush()
                os.fsync(out.fileno())
            self._date(aside)
            aside.replace(self._path)

    def touch(self) -> None:
        """The server said that the snapshot is still current. OSError."""
        if self._path.exists():
            self._date(self._path)

    def load(self, server_key: str, device: UUID) -> Received | None:
        """The snapshot, checked again; None if there is none. SnapshotRefused if it is damaged or somebody else's.

        A clock that stood still while we were off makes it look younger; how much the terminal may then sell is still
        bounded by its limits.
        """
        try:
            age_s = self._clock.now_us() / 1e6 - self._path.stat().st_mtime
            line, _, packed = self._path.read_bytes().partition(b"\n")
            about = json.loads(line)
            body, signature, etag = gzip.decompress(packed), about["signature"], about["etag"]
            delta = about.get("delta")
        except FileNotFoundError:
            return None
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            raise SnapshotRefused(f"the stored snapshot is damaged: {error}") from error
        if delta is None:
            return read_snapshot(body, signature, server_key, device, etag=etag, age_s=age_s)
        head, cards = _parts(body)
        total, signed = _total(cards), str(delta).encode()
        if not signed_by(server_key, signed, signature):
            raise SnapshotRefused("the signature is not our server's")
        made = SnapshotDelta.model_validate_json(signed)
        if made.device != device or not made.content == head.content == content_of(head, total):
            raise SnapshotRefused("the stored snapshot is not what the server signed")
        return Received(head, cards, signed, signature, etag, max(0.0, age_s), total, made.content)

    def _date(self, path: Path) -> None:
        now_ns = self._clock.now_us() * 1000
        os.utime(path, ns=(now_ns, now_ns))

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)
