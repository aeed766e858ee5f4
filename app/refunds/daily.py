"""The round of refunds: every server process makes it, and each step is taken once."""

from __future__ import annotations

import asyncio
import time

import structlog

from app.ledger.service import Ledger
from app.refunds import reminding, service
from app.topups.provider import Provider

_log = structlog.get_logger("comptoir.refunds")

EVERY_S = 15.0
# Reminders are counted in days.
REMIND_EVERY_S = 3600.0


async def run_for_ever(ledger: Ledger, provider: Provider | None, key: bytes, every_s: float = EVERY_S) -> None:
    """Until cancelled. What goes wrong is logged and tried the next time."""
    reminded_s = -REMIND_EVERY_S
    while True:
        try:
            await service.advance_all(ledger, provider)
            if time.monotonic() - reminded_s > REMIND_EVERY_S:
                await reminding.remind(ledger, key)
                reminded_s = time.monotonic()
        except Exception:
            _log.exception("refunds could not be looked through")
        await asyncio.sleep(every_s)
