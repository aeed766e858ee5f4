"""Decisions about the bank's lines are taken one at a time, in whichever process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from app.ledger.service import Ledger
from app.platform.database import is_sqlite

_TURNS: WeakKeyDictionary[Ledger, asyncio.Lock] = WeakKeyDictionary()


@asynccontextmanager
async def alone(ledger: Ledger) -> AsyncIterator[None]:
    """One decision at a time: what it books must see what the one before it booked, such as that a payout came already.

    Within a process they wait here, so that no more than one of them holds a connection while it waits for others.
    """
    async with _TURNS.setdefault(ledger, asyncio.Lock()):
        if is_sqlite(ledger.engine):
            yield
            return
        async with ledger.engine.begin() as connection:
            await connection.execute(sa.text("SELECT pg_advisory_xact_lock(hashtextextended('bank-decision', 0))"))
            yield
