"""Staff say at a terminal that a product is sold out, or that there is some again."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from app.ledger.service import Ledger
from app.sales.booking import Counter
from app.terminals.rows import Exceptions
from app.venues.service import set_sold_out
from app.wire import SoldOutRow

_log = structlog.get_logger("comptoir.intake")


async def book(ledger: Ledger, counter: Counter, rows: Sequence[SoldOutRow], _: Exceptions) -> None:
    async with ledger.engine.begin() as connection:
        for row in rows:
            if not await set_sold_out(connection, counter.venue.id, row.product, row.at_us, sold_out=row.sold_out):
                _log.info("sold out: a product that is not the venue's", product=str(row.product))
