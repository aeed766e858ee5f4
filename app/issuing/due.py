"""Vouchers whose time is over: their money leaves the fund, within the hour, whichever process comes to it first."""

from __future__ import annotations

import asyncio

import structlog

from app.currencies.service import currencies
from app.issuing.service import terms_of
from app.issuing.vouchers import lapsing, withdraw
from app.ledger.service import Ledger
from app.platform.clock import now_us
from app.venues.service import the_network

_log = structlog.get_logger("comptoir.issuing")

EVERY_S = 3600.0


async def lapse_for_ever(ledger: Ledger, every_s: float = EVERY_S) -> None:
    """Again and again, until cancelled. What goes wrong is logged and tried the next time."""
    while True:
        try:
            await lapse_vouchers(ledger)
        except Exception:
            _log.exception("vouchers could not lapse")
        await asyncio.sleep(every_s)


async def lapse_vouchers(ledger: Ledger) -> int:
    """One round: how many vouchers lapsed. As often as anyone likes: each ends once."""
    due = await lapsing(ledger, now_us())
    if not due:
        return 0
    async with ledger.reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
    lapsed = 0
    for batch in {it.batch.id: it.batch for it in due}.values():
        terms = await terms_of(ledger, network, None, known[batch.currency])
        of_batch = [it for it in due if it.batch.id == batch.id]
        lapsed += await withdraw(ledger, terms, of_batch, actor="server", lapsed=True)
    return lapsed
