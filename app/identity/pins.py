"""Staff as terminals know them: hashes of PINs and rights only, by venue."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity.staff_rights import AT_TERMINALS, StaffRight, staff_rights
from app.identity.tables import person, person_role


@dataclass(frozen=True, slots=True)
class StaffPin:
    """`pin`: an Argon2id hash. `card`: the chip's number of their staff card."""

    person: UUID
    pin: str
    rights: Sequence[StaffRight]
    card: str | None


async def pins_of_venue(connection: AsyncConnection, venue: UUID) -> list[StaffPin]:
    """Everybody who may work at this venue's terminals."""
    rows = await connection.execute(
        sa.select(person.c.id, person.c.pin_hash, person.c.card_uid, person_role.c.role)
        .join(person_role, person_role.c.person == person.c.id)
        .where(person.c.active, person.c.pin_hash.is_not(None))
        .where(sa.or_(person_role.c.venue == venue, person_role.c.venue.is_(None)))
        .where(person_role.c.role.in_(AT_TERMINALS))
        .order_by(person.c.id)
    )
    roles: dict[tuple[UUID, str, str | None], list[str]] = {}
    for row in rows:
        roles.setdefault((row.id, row.pin_hash, row.card_uid), []).append(row.role)
    return [StaffPin(id_, pin, staff_rights(held), card) for (id_, pin, card), held in roles.items()]


async def pins_taken(connection: AsyncConnection, venues: Collection[UUID] | None, but: UUID) -> list[str]:
    """Hashes of the PINs of everybody else who may work at these venues; None: at any."""
    query = sa.select(person.c.pin_hash).distinct().join(person_role, person_role.c.person == person.c.id)
    query = query.where(person.c.active, person.c.pin_hash.is_not(None), person.c.id != but)
    if venues is not None:
        query = query.where(sa.or_(person_role.c.venue.in_(list(venues)), person_role.c.venue.is_(None)))
    return list((await connection.execute(query)).scalars())
