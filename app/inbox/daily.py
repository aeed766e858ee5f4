"""The inbox's round: what was put right by itself is written down as done, and the menu told how much is open."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from uuid import UUID

import structlog

from app.inbox import service
from app.ledger.service import Ledger

HERE = "/admin/exceptions"

_log = structlog.get_logger("comptoir.inbox")

EVERY_S = 60.0


async def run_for_ever(
    ledger: Ledger, menu_counts: dict[str, Mapping[UUID | None, int]], every_s: float = EVERY_S
) -> None:
    """Until cancelled. What goes wrong is logged and tried the next time."""
    while True:
        try:
            menu_counts[HERE] = service.counted(await service.close_what_is_gone(ledger))
        except Exception:
            _log.exception("exceptions could not be looked through")
        await asyncio.sleep(every_s)
