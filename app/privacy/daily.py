"""Once a day, what is kept for a time only is forgotten."""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from app.disputes import held as disputes
from app.mail import service as mail

_log = structlog.get_logger("comptoir.privacy")

EVERY_S = 24 * 3600.0


async def forget_old(engine: AsyncEngine) -> None:
    """E-mails too where none are sent any more, so that no other round forgets them."""
    async with engine.begin() as connection:
        await disputes.forget_old(connection)
        await mail.forget_old(connection)


async def run_for_ever(engine: AsyncEngine, every_s: float = EVERY_S) -> None:
    """Until cancelled. What goes wrong is logged and tried the next time."""
    while True:
        try:
            await forget_old(engine)
        except Exception:
            _log.exception("what is old could not be forgotten")
        await asyncio.sleep(every_s)
