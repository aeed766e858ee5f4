"""The scheduled run: every server process makes it, and it does its work once."""

from __future__ import annotations

import asyncio
from datetime import date

import structlog

from app.lapses import growing, reminders, service
from app.ledger.service import Ledger
from app.platform.clock import now_us
from app.platform.context import Context

_log = structlog.get_logger("comptoir.lapses")

# How often it is looked whether a day has turned. Notices are counted in days, so an hour is soon enough.
LOOK_EVERY_S = 3600.0


async def run_for_ever(context: Context, ledger: Ledger, every_s: float = LOOK_EVERY_S) -> None:
    """Once a business day, until cancelled. What goes wrong is logged and tried again at the next look."""
    ran: date | None = None
    while True:
        try:
            ran = await run_daily(context, ledger, ran)
        except Exception:
            _log.exception("the scheduled run failed")
        await asyncio.sleep(every_s)


async def run_daily(context: Context, ledger: Ledger, ran: date | None) -> date | None:
    """Run unless that was done for today (`ran`): the day for which it is done now."""
    rules = await service.rules_of(context.engine)
    if rules is None:
        return None
    # What falls due at the turn of the day is booked some minutes after it, when all before it is in the ledger.
    today = rules.calendar.day_of(now_us() - service.SETTLED_US)
    if today != ran:
        await run(context, ledger)
    return today


async def run(context: Context, ledger: Ledger, until_us: int | None = None) -> tuple[int, int, int]:
    """Announce, book what is due, let limits grow: (new notices, wallets something lapsed of, limits that grew).
    `until_us`: only periods that ended until then."""
    notices = await service.announce(context.engine, ledger)
    booked = await service.book(context.engine, ledger, until_us)
    grown = await growing.grow(context.engine, ledger, until_us)
    if context.settings.mail != "none":
        await reminders.remind(context, ledger)
    if notices or booked or grown:
        _log.info("the scheduled run is done", notices=notices, booked=booked, grown=grown)
    return notices, booked, grown
