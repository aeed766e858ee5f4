"""Closings that terminals delivered: computed anew, sealed as they were made, and told where they differ."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ledger.service import Ledger
from app.platform.clock import now_us
from app.rules.business_day import day_that_counts
from app.rules.drawer import Closed
from app.sales.closings import drawer, store
from app.sales.closings.document import ClosingDocument, Drawer, Origin
from app.sales.closings.periods import Taken, taken_between
from app.sales.rulebook import cents_of
from app.sales.tables import intake
from app.terminals.rows import BookRows, Exceptions, Place
from app.venues.service import Network, the_network
from app.wire import ClosingRow


def handler(key: Ed25519PrivateKey) -> BookRows:
    """What the intake does with closings; `key` seals them."""

    async def book(ledger: Ledger, place: Place, rows: Sequence[ClosingRow], exceptions: Exceptions) -> None:
        for row in rows:
            async with ledger.engine.begin() as connection:
                await store.lock(connection)
                await _take_in(connection, key, place, row, exceptions)

    return book


async def _take_in(
    connection: AsyncConnection, key: Ed25519PrivateKey, place: Place, row: ClosingRow, exceptions: Exceptions
) -> None:
    """Taken in again, the same row is told the same and sealed once."""
    terminal = place.terminal
    query = sa.select(intake.c.epoch, intake.c.sequence, intake.c.hash).where(
        intake.c.device == terminal.id, intake.c.event == row.id
    )
    at = (await connection.execute(query.order_by(intake.c.id).limit(1))).one()
    same_number = await store.numbered(connection, terminal.id, "session", row.number)
    if same_number is not None and same_number.document.id != row.id:
        # Another branch of a forked journal closed under this number; both stay in the intake.
        exceptions.add(row.id, "closing-number-taken", number=row.number)
        return
    last = await store.before(connection, terminal.id, "session", row.number)
    taken = await taken_between(
        connection, terminal.id, last.document.origin if last else None, (at.epoch, at.sequence, at.hash)
    )
    agrees = _agrees(row, place, taken, last.document.after if last else Closed())
    network = await the_network(connection)
    _tell(row, taken, agrees, last, exceptions, session_required=network.settings.session_required)
    if same_number is None:
        origin = Origin(epoch=at.epoch, sequence=at.sequence, hash=at.hash, cashier=row.cashier, agrees=agrees)
        document = _document(row, place, network, origin)
        await store.seal(connection, key, document)
        await drawer.closed(connection, document, last.document if last else None)


def _agrees(row: ClosingRow, place: Place, taken: Taken, before: Closed) -> bool:
    period = taken.period
    rates = {code: cents for code, it in place.currencies.items() if (cents := cents_of(it)) is not None}
    return (
        row.before == before
        and row.figures == period.figures
        and row.float_cents == period.float_cents
        and row.counted_cents == period.counted_cents
        and row.expected_cents == period.expected(rates)
        and row.drawer_cents == period.holds(rates)
    )


def _tell(
    row: ClosingRow,
    taken: Taken,
    agrees: bool,
    last: store.Sealed | None,
    exceptions: Exceptions,
    *,
    session_required: bool,
) -> None:
    """What a person should look at."""
    if row.difference_cents:
        exceptions.add(
            row.id, "till-difference", number=row.number, difference_cents=row.difference_cents, reason=row.reason
        )
    if not agrees:
        exceptions.add(row.id, "closing-differs", number=row.number)
    if session_required and row.session is None and row.figures.sales:
        exceptions.add(row.id, "no-session", number=row.number, sales=row.figures.sales)
    if last is None:
        return
    for sale, made_at_us in taken.sales:
        # By the terminal's clock it belongs to what was closed before.
        if made_at_us < last.document.made_at_us:
            exceptions.add(sale, "late-sale", number=last.document.number)


def _document(row: ClosingRow, place: Place, network: Network, origin: Origin) -> ClosingDocument:
    venue, now = place.venue, now_us()
    # A bar that closes its till at seven in the morning closes the night before.
    made = row.figures.last_at_us or row.opened_at_us or row.at_us
    day, _ = day_that_counts(venue.day_of(made), made, venue.day_of(now), now)
    return ClosingDocument(
        id=row.id,
        network=network.name,
        period="session",
        subject=place.terminal.id,
        name=place.terminal.name,
        venue=venue.id,
        venue_name=venue.name,
        zone=venue.zone,
        number=row.number,
        day=day,
        opened_at_us=row.opened_at_us,
        made_at_us=row.at_us,
        before=row.before,
        after=row.after,
        figures=row.figures,
        drawer=Drawer(
            float_cents=row.float_cents,
            expected_cents=row.expected_cents,
            drawer_cents=row.drawer_cents,
            counted=row.counted,
            counted_cents=row.counted_cents,
            counted_blind=row.counted_blind,
            difference_cents=row.difference_cents,
            reason=row.reason,
        ),
        origin=origin,
    )
