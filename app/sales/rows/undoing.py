"""Taking back what this terminal booked, whatever kind of operation it was."""

from __future__ import annotations

from uuid import UUID

import structlog

from app.ledger.service import Ledger
from app.platform.errors import DomainError, Invalid, Unavailable
from app.sales import records
from app.sales.booking import Counter
from app.sales.service import reverse
from app.terminals.rows import Exceptions

_log = structlog.get_logger("comptoir.intake")


async def take_back(
    ledger: Ledger,
    counter: Counter,
    sale: UUID,
    id_: UUID,
    at_us: int,
    details: dict[str, object],
    exceptions: Exceptions,
) -> None:
    original = (await ledger.booked([sale])).get(sale)
    if original is None:
        async with ledger.engine.begin() as connection:
            if await records.take_back(connection, counter, sale, id_, at_us, details):
                return
    if original is None or original.terminal != counter.terminal.id:
        exceptions.add(id_, "void-of-unknown-sale", sale=str(sale))
        return
    try:
        await reverse(
            ledger,
            counter.venue,
            original,
            id_,
            actor=counter.actor,
            occurred_at_us=at_us,
            terminal=counter.terminal.id,
            details=details,
        )
    except (Invalid, RuntimeError) as error:
        exceptions.add(id_, "not-booked", sale=str(sale), reason=str(error))
    except Unavailable:
        raise
    except DomainError as error:
        if error.code != "already-reversed":
            # A top-up that was spent meanwhile, for one: the money is gone from the card, and somebody must settle it.
            exceptions.add(id_, "not-undone", sale=str(sale), reason=error.code)
            return
        # Undone already, by staff at two screens: that is what this row asks for, and nobody needs to look at it.
        _log.info("void of a sale already undone", sale=str(sale))
