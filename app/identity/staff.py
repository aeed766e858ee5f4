"""Who stands at a terminal, and what they may do there: the server's own check of what the terminal checked."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity.roles import Grant, Principal, Role
from app.identity.staff_rights import StaffRight, staff_rights
from app.identity.tables import person, person_role
from app.platform.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Staff:
    """`principal`: the person with their roles, for the rules of a currency; `rights`: what they allow at the venue."""

    principal: Principal
    rights: frozenset[StaffRight]

    def require(self, right: StaffRight) -> None:
        """Raises Forbidden."""
        if right not in self.rights:
            raise Forbidden("This is not among the cashier's rights here.")


async def staff_at(connection: AsyncConnection, venue: UUID, id_: UUID) -> Staff:
    """Somebody who is no longer there, or never was, has no rights."""
    rows = (
        await connection.execute(
            sa.select(person.c.id, person_role.c.role, person_role.c.venue)
            .join(person_role, person_role.c.person == person.c.id)
            .where(person.c.active, person.c.id == id_)
        )
    ).all()
    here = [row.role for row in rows if row.venue in {None, venue}]
    grants = frozenset(Grant(Role(row.role), row.venue) for row in rows)
    return Staff(Principal(grants=grants, person=id_), frozenset(staff_rights(here)))
