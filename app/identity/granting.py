"""Who lets whom do what: granting roles, taking them back, staff cards, and letting people go.

The caller holds the transaction. Nobody grants more than they have, nobody manages somebody whose rights go beyond
their own, and the network never stands without an admin.

Errors: Forbidden("not-yours-to-grant"), Conflict("last-network-admin", "card-exists").
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity import store
from app.identity.audit import audit
from app.identity.roles import AT_VENUES, PERSONAL, Grant, Principal, Role
from app.platform.errors import Conflict, Forbidden

# Which roles a role grants, a venue's at that venue only.
GRANTS: Final[dict[Role, frozenset[Role]]] = {
    Role.NETWORK_ADMIN: PERSONAL,
    Role.VENUE_ADMIN: AT_VENUES,
    Role.SHIFT_MANAGER: frozenset({Role.CASHIER}),
}


def may_grant(by: Principal, new: Grant) -> bool:
    return any(new.role in GRANTS.get(it.role, ()) and it.venue in {None, new.venue} for it in by.grants)


def may_manage(by: Principal, grants: Collection[Grant]) -> bool:
    """Whether they may let this person in anew or go: all that the other may do is theirs to grant."""
    if any(it.role is Role.NETWORK_ADMIN for it in by.grants):
        return True
    return bool(grants) and all(may_grant(by, it) for it in grants)


def require_managing(by: Principal, grants: Collection[Grant]) -> None:
    """Raises Forbidden."""
    if not may_manage(by, grants):
        raise Forbidden("Their rights go beyond yours: ask somebody of the network.", "not-yours-to-grant")


async def grant(connection: AsyncConnection, by: Principal, person: UUID, new: Grant) -> None:
    """What somebody has already stays as it is."""
    _require(by, new)
    if new in await store.grants_held(connection, person):
        return
    await store.insert_grants(connection, person, [new])
    await audit(connection, by.actor, "person.grant", f"person:{person}", role=new.role, venue=new.venue)


async def withdraw(connection: AsyncConnection, by: Principal, person: UUID, old: Grant) -> None:
    """What somebody does not have need not be taken. Open sessions lose it with their next request."""
    _require(by, old)
    if old.role is Role.NETWORK_ADMIN:
        await _require_another_admin(connection, person)
    if await store.delete_grant(connection, person, old):
        await audit(connection, by.actor, "person.withdraw", f"person:{person}", role=old.role, venue=old.venue)


async def let_go(connection: AsyncConnection, by: Principal, person: UUID) -> None:
    """They sign in no more, and every session ends; what they did stays theirs."""
    held = await store.grants_held(connection, person)
    require_managing(by, held)
    if any(it.role is Role.NETWORK_ADMIN for it in held):
        await _require_another_admin(connection, person)
    if await store.set_active(connection, person, False):
        await store.delete_sessions_of(connection, person)
        await audit(connection, by.actor, "person.leave", f"person:{person}")


async def take_back(connection: AsyncConnection, by: Principal, person: UUID) -> None:
    """Somebody who had left is back, with the roles that they had."""
    require_managing(by, await store.grants_held(connection, person))
    if await store.set_active(connection, person, True):
        await audit(connection, by.actor, "person.return", f"person:{person}")


async def set_card(connection: AsyncConnection, by: Principal, person: UUID, card: str | None) -> None:
    """The chip's number of the card that they sign in with at terminals, which have it with their next snapshot; None
    takes it away. Raises Conflict("card-exists"), after which the transaction is of no more use."""
    require_managing(by, await store.grants_held(connection, person))
    try:
        changed = await store.set_card(connection, person, card)
    except sa.exc.IntegrityError:
        raise Conflict("This card is somebody else's.", "card-exists") from None
    if changed:
        await audit(connection, by.actor, "person.card", f"person:{person}", given=card is not None)


async def end_sessions(connection: AsyncConnection, by: Principal, person: UUID) -> None:
    """Wherever they are signed in, they are no more; their password stays what it is."""
    require_managing(by, await store.grants_held(connection, person))
    ended = await store.delete_sessions_of(connection, person)
    if ended:
        await audit(connection, by.actor, "person.end_sessions", f"person:{person}", number=ended)


def _require(by: Principal, it: Grant) -> None:
    if not may_grant(by, it):
        raise Forbidden("Nobody grants, or takes, more than they have.", "not-yours-to-grant")


async def _require_another_admin(connection: AsyncConnection, person: UUID) -> None:
    # Locked until the end of the transaction: two admins who take each other's role at once would both see another.
    admins = await store.network_admins(connection, lock=True)
    if person in admins and len(admins) == 1:
        raise Conflict("The network needs an admin: make somebody else one first.", "last-network-admin")


async def require_some_admin(connection: AsyncConnection) -> None:
    """For changes of several people at once. Raises Conflict."""
    if not await store.network_admins(connection, lock=True):
        raise Conflict("The network needs an admin: make somebody one.", "last-network-admin")
