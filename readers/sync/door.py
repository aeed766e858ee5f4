"""What a terminal needs at a door: fetched while there is network, and kept in a file for when there is none."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from uuid import UUID

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from app.wire.door import DoorList, DoorPassage, DoorPassages, PassageRow
from app.wire.snapshot import SIGNATURE_HEADER
from readers.journal import Journal
from readers.sync.client import NOT_ALLOWED, Reply, Server
from readers.sync.errors import Rejected, Unreachable
from readers.sync.keys import signed_by
from readers.terminal.door import DoorBook

# Passages are what another door waits for; the list of tickets is larger and changes less.
PASSAGES_S: Final = 5.0
LIST_S: Final = 30.0

_log = structlog.get_logger(__name__)


class _Kept(BaseModel):
    """The file: the list as the server signed it, and what other terminals saw."""

    model_config = ConfigDict(extra="forbid")

    body: str
    signature: str
    etag: str | None
    passages: tuple[DoorPassage, ...]


class DoorFeed:
    """`book` is what the door decides by. `on_change` follows everything new."""

    def __init__(self, path: Path, server: Server, journal: Journal, every_s: float = PASSAGES_S) -> None:
        self.book = DoorBook()
        self.on_change: Callable[[], None] = lambda: None
        self._path = path
        self._server = server
        self._journal = journal
        self._every_s = every_s
        self._list: tuple[str, str, str | None] | None = None
        self._asked_s = -float("inf")
        self._after_us = 0

    async def start_from_disk(self) -> None:
        """What was fetched before, and what this terminal saw itself."""
        try:
            kept = _Kept.model_validate_json(self._path.read_bytes())
            self._take(kept.body, kept.signature, kept.etag)
            self.book.add(kept.passages)
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            # Of another pairing, or damaged: it is asked for again.
            _log.warning("door_refused", why=str(error))
        await self._add_own()

    async def run(self) -> None:
        """Rounds until cancelled."""
        while True:
            try:
                await self.round()
            except Exception:
                # A fault of ours leaves the door with what it knows.
                _log.exception("door_failed")
            await asyncio.sleep(self._every_s if self.book.events else max(self._every_s, LIST_S / 3))

    async def round(self) -> None:
        """Ask once. What the server does not answer changes nothing."""
        if self._journal.pairing.halted == "revoked":
            self._forget()
            return
        device, changed = self._journal.pairing.device, False
        try:
            changed = await self._ask_list(device)
            if self.book.events:
                changed |= self._add(await self._server.door_passages(device, self._after_us))
        except Unreachable:
            # What came before the line broke is kept.
            pass
        except Rejected as error:
            if error.problem.status not in NOT_ALLOWED:
                _log.warning("door_not_told", why=str(error))
        except ValueError as error:
            _log.warning("door_refused", why=str(error))
        if changed:
            self.on_change()
            await asyncio.to_thread(self._save)

    async def _ask_list(self, device: UUID) -> bool:
        """Whether it is a new one."""
        if time.monotonic() - self._asked_s < LIST_S:
            return False
        reply = await self._server.door(device, self._list[2] if self._list else None)
        self._asked_s = time.monotonic()
        if reply is None:
            return False
        before = set(self.book.events)
        self._take(reply.body.decode(), _signature(reply), reply.headers.get("ETag"))
        if set(self.book.events) - before:
            await self._add_own()
            self._after_us = 0
        return True

    def _forget(self) -> None:
        """Names and cards of guests are nothing for a terminal without rights."""
        if self._list is not None:
            self._list = None
            self.book.take(DoorList(device=self._journal.pairing.device))
            self.on_change()
        self._path.unlink(missing_ok=True)

    def _add(self, reply: Reply) -> bool:
        self._require_signed(reply.body, _signature(reply))
        told = DoorPassages.model_validate_json(reply.body)
        self._after_us = told.until_us
        return self.book.add(told.passages)

    async def _add_own(self) -> None:
        name = self._journal.pairing.name
        rows = [row for _, row in await self._journal.rows_of("passage", 0) if isinstance(row, PassageRow)]
        self.book.add(passage_of(it, name) for it in rows if it.passed and it.at_event in self.book.events)

    def _take(self, body: str, signature: str, etag: str | None) -> None:
        """ValueError: not our server's, or another terminal's."""
        self._require_signed(body.encode(), signature)
        try:
            told = DoorList.model_validate_json(body)
        except ValidationError as error:
            raise ValueError(f"{error.error_count()} errors") from error
        if told.device != self._journal.pairing.device:
            raise ValueError("it is another terminal's")
        self._list = (body, signature, etag)
        self.book.take(told)

    def _require_signed(self, body: bytes, signature: str) -> None:
        if not signed_by(self._journal.pairing.server_key, body, signature):
            raise ValueError("the signature is not our server's")

    def _save(self) -> None:
        if self._list is None:
            return
        body, signature, etag = self._list
        kept = _Kept(body=body, signature=signature, etag=etag, passages=self.book.passages)
        aside = self._path.with_suffix(".new")
        try:
            aside.unlink(missing_ok=True)
            with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                out.write(kept.model_dump_json().encode())
                out.flush()
                os.fsync(out.fileno())
            aside.replace(self._path)
        except OSError as error:
            # The next start asks for it again.
            _log.error("door_not_kept", why=str(error))


def passage_of(row: PassageRow, terminal: str) -> DoorPassage:
    """A row of this terminal as the others will be told of it."""
    return DoorPassage(
        id=row.id,
        ticket=row.ticket,
        at_event=row.at_event,
        direction=row.direction,
        at_us=row.at_us,
        terminal=terminal,
    )


def _signature(reply: Reply) -> str:
    signature: str = reply.headers.get(SIGNATURE_HEADER, "")
    return signature
