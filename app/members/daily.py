"""What memberships need from time to time, whichever process comes to it first."""

from __future__ import annotations

import asyncio

import structlog

from app.ledger.service import Ledger
from app.members.buying import finish
from app.members.consultations import draw_up_rolls
from app.members.reminders import remind
from app.platform.context import Context

_log = structlog.get_logger("comptoir.members")

EVERY_S = 1800.0


async def run_for_ever(context: Context, ledger: Ledger, every_s: float = EVERY_S) -> None:
    """Again and again, until cancelled. What goes wrong is logged and tried the next time."""
    while True:
        try:
            await finish(ledger)
            async with ledger.engine.begin() as connection:
                await draw_up_rolls(connection)
            if context.settings.mail != "none":
                await remind(context)
        except Exception:
            _log.exception("memberships could not be seen to")
        await asyncio.sleep(every_s)
