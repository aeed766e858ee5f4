"""PINs of staff, as terminals know them: hashes only, by venue."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity.tables import person, person_role


async def pins_of_venue(connection: AsyncConnection, venue: UUID) -> list[tuple[UUID, str]]:
    """(person, Argon2id hash of the PIN) of everybody who may work at this venue's terminals."""
    rows = await connection.execute(
        sa.select(person.c.id, person.c.pin_hash)
        .join(person_role, person_role.c.person == person.c.id)
        .where(person.c.active, person.c.pin_hash.is_not(None))
        .where(sa.or_(person_role.c.venue == venue, person_role.c.role == "network_admin"))
        .distinct()
        .order_by(person.c.id)
    )
    return [(row.id, row.pin_hash) for row in rows]
