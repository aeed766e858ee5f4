"""Taking back what this terminal booked, whatever kind of operation it was."""

from __future__ import annotations

import json
from uuid import UUID

import structlog

from app.identity.staff import Staff
from app.leases import selling
from app.ledger.rules.operations import Posted
from app.ledger.service import BookedOperation, Ledger
from app.platform.errors import DomainError, Forbidden, Invalid, NotFound, Unavailable
from app.rules.undoing import not_theirs
from app.sales import records
from app.sales.booking import Counter
from app.sales.service import reverse
from app.terminals.away import require_all_heard
from app.terminals.rows import ASKED_KINDS, Exceptions
from app.wire import VoidRow

_log = structlog.get_logger("comptoir.intake")


async def ask(ledger: Ledger, counter: Counter, staff: Staff, row: VoidRow) -> tuple[Posted, str]:
    """Take back what this terminal did with a card beside selling, before any cash changes hands: (posted, the card).

    Forbidden (another's, or too late, without the right to void), NotFound (also while its row has not come in),
    Conflict("terminals-away") where cash would go out, DomainError("insufficient-funds") for what was spent since, and
    DomainError("already-reversed").
    """
    original = (await ledger.booked([row.sale])).get(row.sale)
    if original is None or original.terminal != counter.terminal.id or original.kind not in ASKED_KINDS:
        raise NotFound("This terminal did no such thing.")
    done = json.loads(original.details)
    if not await ledger.booked([row.id]):
        by, rights = UUID(done["cashier"]), staff.rights
        if not_theirs(by, original.occurred_at_us, who=row.cashier, rights=rights, now_us=row.at_us):
            raise Forbidden("Somebody with the right to void takes this back.")
        if original.kind == "topup.cash":
            async with ledger.reader.connect() as connection:
                await require_all_heard(connection, counter.terminal)
    posted = await reverse(
        ledger,
        counter.venue,
        await _standing(ledger, original, row.id),
        row.id,
        actor=counter.actor,
        occurred_at_us=row.at_us,
        terminal=counter.terminal.id,
        details=details_of(row),
        kind=original.kind,
    )
    return posted, done["card"]


async def _standing(ledger: Ledger, original: BookedOperation, id_: UUID) -> BookedOperation:
    """What `id_` takes back so that `original` is undone: it, or what put it there again after an undo whose answer
    nobody heard was itself taken back. Asked again, the same as before."""
    again = (await ledger.booked([id_])).get(id_)
    it = original
    while again is None or again.reverses != it.id:
        undone = await ledger.taken_back_by(it.id)
        back = None if undone is None else await ledger.taken_back_by(undone.id)
        if back is None:
            break
        it = back
    return it


def details_of(row: VoidRow) -> dict[str, object]:
    """What a void says, for the books."""
    return {"reason": row.reason, "cashier": str(row.cashier) if row.cashier else None}


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
            known = await records.take_back(connection, counter, sale, id_, at_us, details)
        if known:
            await selling.take_back(ledger.engine, [sale])
            return
    if original is None or original.terminal != counter.terminal.id:
        exceptions.add(id_, "void-of-unknown-sale", sale=str(sale))
        return
    try:
        await reverse(
            ledger,
            counter.venue,
            await _standing(ledger, original, id_),
            id_,
            actor=counter.actor,
            occurred_at_us=at_us,
            terminal=counter.terminal.id,
            details=details,
            kind=original.kind,
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
