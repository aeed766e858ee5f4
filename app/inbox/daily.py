"""The inbox's round: what was put right by itself is written down as done."""

from __future__ import annotations

import asyncio

import structlog

from app.inbox import service
from app.ledger.service import Ledger

_log = structlog.get_logger("comptoir.inbox")

EVERY_S = 300.0


async def run_for_ever(ledger: Ledger, every_s: float = EVERY_S) -> None:
    """Until cancelled. What goes wrong is logged and tried the next time."""
    while True:
        try:
            await service.close_what_is_gone(ledger)
        except Exception:
            _log.exception("exceptions could not be looked through")
        await asyncio.sleep(every_s)
