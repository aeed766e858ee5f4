"""Snapshots: checked against the server's key, decoded, and kept for a start without network."""

from __future__ import annotations

import gzip
import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from uuid import UUID

import msgspec
from pydantic import ValidationError

from app.rules.offline import Assurance
from app.wire import TerminalSnapshot
from readers.sync.errors import SnapshotRefused
from readers.sync.keys import signed_by


class CardRecord(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """app.wire.SnapshotCard, decoded an order of magnitude faster and a third as large: there are 20,000 of them,
    every few seconds, next to a tap that must not wait."""

    uid: str
    status: Literal["active", "blocked"]
    assurance: Assurance
    balances: dict[str, int]


@dataclass(frozen=True, slots=True)
class Received:
    """A snapshot that our server signed. `head` is all of it but the cards; `age_s` how old it was when it came in."""

    head: TerminalSnapshot
    cards: Mapping[str, CardRecord]
    body: bytes
    signature: str
    etag: str | None
    age_s: float


def read_snapshot(
    body: bytes, signature: str, server_key: str, device: UUID, *, etag: str | None = None, age_s: float = 0
) -> Received:
    """Check and decode a snapshot's bytes; SnapshotRefused."""
    if not signed_by(server_key, body, signature):
        raise SnapshotRefused("the signature is not our server's")
    try:
        parts = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        cards = msgspec.json.decode(parts.get("cards", b"[]"), type=list[CardRecord])
        head = TerminalSnapshot.model_validate_json(msgspec.json.encode({**parts, "cards": []}))
    except (msgspec.MsgspecError, ValidationError) as error:
        raise SnapshotRefused(f"the snapshot can't be read: {error}") from error
    if head.device != device:
        raise SnapshotRefused(f"the snapshot is for {head.device}")
    return Received(head, {card.uid: card for card in cards}, body, signature, etag, max(0.0, age_s))


class SnapshotFile:
    """The last snapshot on disk, replaced whole: the bytes as signed, compressed, after one line about them.

    It is a file and not a row of the journal because it is written often and is large: a sale must not queue behind
    it for the disk. Any snapshot will do at a start, however old: it says itself which of our rows it contains.
    The file's modification time is when the server last said that this snapshot is current.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        # A save whose task was cancelled goes on in its thread, beside the one that is made on the way out.
        self._writing = threading.Lock()

    def save(self, received: Received) -> None:
        """Replace the file. OSError: the one before still stands."""
        line = json.dumps({"signature": received.signature, "etag": received.etag}).encode()
        packed = gzip.compress(received.body, 5)
        aside = self._path.with_suffix(".new")
        with self._writing:
            with aside.open("wb") as out:
                os.fchmod(out.fileno(), 0o600)
                out.write(line + b"\n" + packed)
                out.flush()
                os.fsync(out.fileno())
            aside.replace(self._path)

    def touch(self) -> None:
        """The server said that the snapshot is still current. OSError."""
        if self._path.exists():
            os.utime(self._path)

    def load(self, server_key: str, device: UUID) -> Received | None:
        """The snapshot, checked again; None if there is none. SnapshotRefused if it is damaged or somebody else's.

        Its age is by the wall clock. A clock that was set back while we were off makes it look younger; how much the
        terminal may then sell is still bounded by its limits.
        """
        try:
            age_s = time.time() - self._path.stat().st_mtime
            line, _, packed = self._path.read_bytes().partition(b"\n")
            about = json.loads(line)
            body, signature, etag = gzip.decompress(packed), about["signature"], about["etag"]
        except FileNotFoundError:
            return None
        except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
            raise SnapshotRefused(f"the stored snapshot is damaged: {error}") from error
        return read_snapshot(body, signature, server_key, device, etag=etag, age_s=age_s)

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)
