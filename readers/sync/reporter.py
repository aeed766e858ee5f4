"""Tells the server how this terminal is, whatever is sold and whatever the server thinks of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from app.wire import StatusReply, TerminalStatus
from readers.journal import Journal
from readers.sync.client import Server
from readers.sync.errors import SyncError

# However often something changes, reports are this far apart.
GAP_S = 2.0

_log = structlog.get_logger(__name__)


class Reporter:
    """`run()` is one task for the life of the agent; `report()` is one turn of it.

    `look` finds out how the terminal is; `heed` is told what the server answered. `wanted` asks for a report now.
    """

    def __init__(
        self,
        server: Server,
        journal: Journal,
        look: Callable[[], Awaitable[TerminalStatus]],
        heed: Callable[[StatusReply], Awaitable[None]],
        every_s: float,
    ) -> None:
        self._server = server
        self._journal = journal
        self._look = look
        self._heed = heed
        self._every_s = every_s
        self.wanted = asyncio.Event()

    async def run(self) -> None:
        """Reports until cancelled. A report that does not arrive is not kept: the next one says more."""
        while True:
            try:
                await self.report()
            except SyncError as error:
                _log.debug("report_not_taken", why=str(error))
            except Exception:
                # A fault in a report must not end the reports.
                _log.exception("report_failed")
            gap_s = min(GAP_S, self._every_s)
            await asyncio.sleep(gap_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every_s - gap_s):
                    await self.wanted.wait()
            self.wanted.clear()

    async def report(self) -> StatusReply:
        """Unreachable, Rejected."""
        pairing = self._journal.pairing
        status = await self._look()
        reply = await self._server.report(pairing.device, pairing.epoch, status.model_dump_json())
        await self._heed(reply)
        return reply
