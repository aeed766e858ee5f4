"""The tickets that a terminal was lent: fetched while there is network, kept in a file for when there is none, and
given back when the server asks for them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from app.rules.ids import uuid7
from app.wire import TicketsBackRow, TicketStock
from app.wire.snapshot import SIGNATURE_HEADER
from readers.journal import Clock, Journal, JournalFailed
from readers.sync.client import NOT_ALLOWED, Server
from readers.sync.errors import Rejected, Unreachable
from readers.sync.keys import signed_by
from readers.terminal.tickets import TicketBook

PATH: Final = "/api/v1/terminals/tickets"
EVERY_S: Final = 10.0
# As many ids as one row may hold.
BACK_MAX: Final = 1000

_log = structlog.get_logger(__name__)


class _Kept(BaseModel):
    """The file: the list as the server signed it."""

    model_config = ConfigDict(extra="forbid")

    body: str
    signature: str
    etag: str | None


class TicketFeed:
    """Fills `book`. `may_give_back`: nobody is about to sell. `on_change` follows everything new."""

    def __init__(
        self, path: Path, server: Server, journal: Journal, book: TicketBook, clock: Clock, every_s: float = EVERY_S
    ) -> None:
        self.on_change: Callable[[], None] = lambda: None
        self.may_give_back: Callable[[], bool] = lambda: True
        self._path = path
        self._server = server
        self._journal = journal
        self._book = book
        self._clock = clock
        self._every_s = every_s
        self._etag: str | None = None

    async def start_from_disk(self) -> None:
        """What our journal says is gone, then what we were lent. JournalError: then nothing is known to be left."""
        for kind in ("sale", "tickets_back"):
            for _, row in await self._journal.rows_of(kind, 0):
                self._book.add(row)
        try:
            kept = _Kept.model_validate_json(await asyncio.to_thread(self._path.read_bytes))
            self._take(kept.body, kept.signature)
            self._etag = kept.etag
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:
            # Of another pairing, or damaged: it is asked for again.
            _log.warning("tickets_refused", why=str(error))

    async def run(self) -> None:
        """Rounds until cancelled."""
        while True:
            try:
                await self.round()
            except Exception:
                # A fault of ours leaves the till with what it has.
                _log.exception("tickets_failed")
            await asyncio.sleep(self._every_s)

    async def round(self) -> None:
        """Ask once, and give back what is too many. What the server does not answer changes nothing."""
        pairing = self._journal.pairing
        if pairing.halted:
            return
        try:
            reply = await self._server.newer(PATH, pairing.device, self._etag)
            if reply is not None:
                body, signature = reply.body.decode(), reply.headers.get(SIGNATURE_HEADER, "")
                self._take(body, signature)
                self._etag = reply.headers.get("ETag")
                await asyncio.to_thread(self._save, _Kept(body=body, signature=signature, etag=self._etag))
                self.on_change()
        except Unreachable:
            pass
        except Rejected as error:
            if error.problem.status not in NOT_ALLOWED:
                _log.warning("tickets_not_told", why=str(error))
        except ValueError as error:
            _log.warning("tickets_refused", why=str(error))
        await self._give_back()

    async def _give_back(self) -> None:
        if not self.may_give_back() or not (spare := self._book.spare()[:BACK_MAX]):
            return
        # First nobody sells them any more, then the row says so: never the other way round.
        self._book.withdraw(spare)
        row = TicketsBackRow(id=uuid7(), tickets=tuple(spare), at_us=self._clock.now_us())
        try:
            await self._journal.append(row)
        except JournalFailed as error:
            # They are neither sold nor given back until the next start reads the journal.
            _log.error("journal_failed", why=str(error))
        self.on_change()

    def _take(self, body: str, signature: str) -> None:
        """ValueError: not our server's, or another terminal's or epoch's."""
        pairing = self._journal.pairing
        if not signed_by(pairing.server_key, body.encode(), signature):
            raise ValueError("the signature is not our server's")
        try:
            told = TicketStock.model_validate_json(body)
        except ValidationError as error:
            raise ValueError(f"{error.error_count()} errors") from error
        if (told.device, told.epoch) != (pairing.device, pairing.epoch):
            raise ValueError("it is another terminal's")
        self._book.take(told)

    def _save(self, kept: _Kept) -> None:
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
            _log.error("tickets_not_kept", why=str(error))
