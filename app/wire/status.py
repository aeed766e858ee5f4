"""How a terminal is: a small message of its own, signed by the device, so that it also comes when nothing is sold.

It tells of the machine, never of people: no names, no cards, no amounts. It needs no token, because a terminal that was
set aside or revoked has something to tell too. What is signed is the text that travels, never JSON written again.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.wire.base import InstantUs, Message

STATUS_CHARS_MAX = 4000
# 256 KB in base64.
LOGS_CHARS_MAX = 350_000

# A network where more journals than these are forked has one trouble, and not many.
FORKS_MAX = 8

_Count = Annotated[int, Field(ge=0, le=2**53, strict=True)]


class SeenFork(Message):
    """A journal of which this terminal was shown two branches, both signed: `sequence` is the first place with two
    rows. It is told so that a person looks; it sets nobody aside."""

    device: UUID
    epoch: _Count
    sequence: _Count


class TerminalStatus(Message):
    """What a terminal knows of itself. None: this machine does not tell.

    `waiting` rows are not acknowledged, the oldest for `oldest_waiting_s`. `card_wear_percent` is the storage chip's
    own estimate of its used life, `disk_errors` how many errors the file system has counted. `volatile`: the journal is
    in memory only. `power`: the supply's voltage is too low now, or was since the machine started. `reader`: "none" on
    a box that only is a site hub. `site`: how many others it shares with at its site; None: it has no site.
    """

    version: Annotated[str, Field(max_length=40)]
    model: Annotated[str, Field(max_length=80)] = ""
    at_us: InstantUs
    running_s: _Count
    waiting: _Count
    oldest_waiting_s: _Count | None = None
    halted: Literal["quarantined", "revoked", "behind"] | None = None
    reader: Literal["ok", "lost", "none"]
    reader_reason: Annotated[str, Field(max_length=120)] | None = None
    snapshot_age_s: _Count | None = None
    journal_bytes: _Count = 0
    journal_failed: bool = False
    read_only: bool = False
    volatile: bool = False
    disk_free_mb: _Count | None = None
    disk_total_mb: _Count | None = None
    disk_errors: _Count | None = None
    card_wear_percent: _Count | None = None
    memory_free_mb: _Count | None = None
    memory_total_mb: _Count | None = None
    agent_mb: _Count | None = None
    temperature_c: Annotated[int, Field(ge=-100, le=250, strict=True)] | None = None
    power: Literal["ok", "low_now", "low_before"] | None = None
    site: _Count | None = None
    forks: Annotated[tuple[SeenFork, ...], Field(max_length=FORKS_MAX)] = ()


class StatusReport(Message):
    """`status` is the text of a TerminalStatus; `signature`: base64 of Ed25519 over status_message()."""

    device: UUID
    epoch: Annotated[int, Field(ge=1, le=2**31, strict=True)]
    status: Annotated[str, Field(max_length=STATUS_CHARS_MAX)]
    signature: Annotated[str, Field(max_length=128)]

    def message(self) -> bytes:
        """The bytes that the device signs."""
        return status_message(self.device, self.epoch, self.status)


class StatusReply(Message):
    """`standing`: what this server thinks of the terminal. `logs`: somebody asked for its logs, under this id."""

    standing: Literal["active", "quarantined", "revoked"]
    server_time_us: InstantUs
    logs: UUID | None = None


class LogBundle(Message):
    """The logs that `request` asked for: `content` is base64 of a gzip file, signed with the device's key."""

    device: UUID
    epoch: Annotated[int, Field(ge=1, le=2**31, strict=True)]
    request: UUID
    content: Annotated[str, Field(max_length=LOGS_CHARS_MAX)]
    signature: Annotated[str, Field(max_length=128)]

    def message(self) -> bytes:
        """The bytes that the device signs."""
        return logs_message(self.device, self.epoch, self.request, self.content)


def status_message(device: UUID, epoch: int, status: str) -> bytes:
    return b"comptoir-status-1" + device.bytes + epoch.to_bytes(8, "big") + hashlib.sha256(status.encode()).digest()


def logs_message(device: UUID, epoch: int, request: UUID, content: str) -> bytes:
    digest = hashlib.sha256(content.encode()).digest()
    return b"comptoir-logs-1" + device.bytes + epoch.to_bytes(8, "big") + request.bytes + digest
