"""What authors' rights are counted on, and at which rate: of one event, or of all of its venue's."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.eventbooks.rules import RATE_MAX, Rights
from app.eventbooks.tables import authors_rights
from app.identity.audit import audit
from app.platform.database import is_sqlite
from app.platform.errors import Invalid

# More than any hall brings in an evening.
MINIMUM_MAX_CENTS = 10_000_000


async def rights_of(connection: AsyncConnection, venue: UUID, event: UUID) -> tuple[Rights, bool]:
    """The event's own (True), or else its venue's, or else the base alone."""
    query = sa.select(authors_rights).where(authors_rights.c.subject.in_([event, venue]))
    found = {row.subject: Rights(row.base, row.rate, row.minimum_cents) for row in await connection.execute(query)}
    return found.get(event) or found.get(venue) or Rights(), event in found


async def set_rights(
    connection: AsyncConnection, actor: str, venue: UUID, event: UUID | None, new: Rights | None
) -> None:
    """`event` None: of all of the venue's that say nothing of their own. `new` None: nothing of its own any more.

    Raises Invalid(field="rate" or "minimum")."""
    if new is not None and new.rate is not None and not 0 <= new.rate <= RATE_MAX:
        raise Invalid("A rate is a share of the receipts.", field="rate")
    if new is not None and not 0 <= new.minimum_cents <= MINIMUM_MAX_CENTS:
        raise Invalid("So much is no minimum.", field="minimum")
    subject = event or venue
    if new is None:
        await connection.execute(sa.delete(authors_rights).where(authors_rights.c.subject == subject))
    else:
        told = {"venue": venue, "base": new.base, "rate": new.rate, "minimum_cents": new.minimum_cents}
        insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
        row = insert(authors_rights).values(subject=subject, **told)
        await connection.execute(row.on_conflict_do_update(index_elements=["subject"], set_=told))
    said = {} if new is None else {"base": new.base, "rate": new.rate, "minimum_cents": new.minimum_cents}
    of = f"event:{event}" if event else f"venue:{venue}"
    await audit(connection, actor, "event.rights", of, venue=venue, **said)
