"""Closes the days, months and years of all venues by itself, when they are over."""

from __future__ import annotations

import asyncio

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.platform.clock import now_us
from app.platform.context import Context
from app.platform.errors import DomainError, Unavailable
from app.sales.closings.gathering import close_due
from app.venues.service import the_network, venues

EVERY_S = 600.0

_log = structlog.get_logger("comptoir.closings")


async def close_all_due(context: Context) -> int:
    """Close what is over at every venue; how many closings were made."""
    made = 0
    async with context.reader.connect() as connection:
        network, at = await the_network(connection), await venues(connection)
    for venue in at.values():
        async with context.engine.begin() as connection:
            made += len(await close_due(connection, context.keys.signing, network, venue, venue.day_of(now_us())))
    return made


async def run_for_ever(context: Context) -> None:
    """Look again and again; a database that is away, or has no network yet, is asked again later."""
    while True:
        try:
            if made := await close_all_due(context):
                _log.info("closings made", closings=made)
        except (DomainError, Unavailable, SQLAlchemyError, OSError) as error:
            _log.warning("closings not made", why=str(error))
        await asyncio.sleep(EVERY_S)
