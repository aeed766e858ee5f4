"""A link by which somebody chooses their password: when they are new, or have forgotten it.

Whoever makes the link hands it over; it is told once, holds for a week and works once. Only its SHA-256 is kept.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity import passwords, store
from app.identity.audit import audit, last_by
from app.identity.granting import grant, require_managing
from app.identity.people import add_person, checked_name
from app.identity.pins import pins_taken
from app.identity.roles import Grant, Principal
from app.identity.staff_rights import AT_TERMINALS
from app.platform import clock
from app.platform.context import Context
from app.platform.errors import Conflict, Forbidden, NotFound

LIFETIME_US = 7 * 24 * 3600 * 1_000_000
_TOKEN_BYTES = 24
_PINS = 10**4
_PIN_TRIES = 50


@dataclass(frozen=True, slots=True)
class Link:
    person: UUID
    token: str
    expires_at_us: int


@dataclass(frozen=True, slots=True)
class Invited:
    """Whose link it is. `at_tills`: whether they get a PIN."""

    person: UUID
    login: str
    name: str
    grants: frozenset[Grant]

    @property
    def at_tills(self) -> bool:
        return any(it.role in AT_TERMINALS for it in self.grants)


async def invite(connection: AsyncConnection, by: Principal, login: str, name: str, first: Grant) -> Link:
    """A new person with one role, who signs in once they have chosen a password. Raises Invalid, Forbidden,
    Conflict("login-taken")."""
    person = await add_person(connection, checked_name(login, name), (), actor=by.actor)
    await grant(connection, by, person, first)
    return await _link(connection, by, person)


async def new_link(connection: AsyncConnection, by: Principal, person: UUID) -> Link:
    """Earlier links of theirs are void. Raises NotFound, Forbidden("not-yours-to-grant", "same-person")."""
    found = await store.person_by_id(connection, person)
    if found is None or not found.active:
        raise NotFound("There is no such person.")
    require_managing(by, await store.grants_held(connection, person))
    await require_two_for_access(connection, by.actor, person, "second-factor.reset")
    return await _link(connection, by, person)


async def require_two_for_access(connection: AsyncConnection, actor: str, person: UUID, other: str) -> None:
    """Whoever could choose somebody's password and drop their second factor could act as both of two people. Raises
    Forbidden("same-person")."""
    # Locked: of the two acts at once, one finds the other written down.
    await store.lock_person(connection, person)
    since = clock.now_us() - LIFETIME_US
    if actor != f"person:{person}" and await last_by(connection, other, f"person:{person}", since) == actor:
        raise Forbidden("You gave them new access this week: somebody else does the rest.", "same-person")


async def invited(connection: AsyncConnection, token: str) -> Invited:
    """Raises NotFound for a link that is not, or no longer, good."""
    row = await store.invitation(connection, _sha256(token), clock.now_us())
    if row is None:
        raise NotFound("This link is used or too old: ask for a new one.", "link-void")
    return Invited(row.person, row.login, row.name, await store.grants_held(connection, row.person))


async def accept(context: Context, token: str, password: str) -> tuple[Invited, str | None]:
    """Sets the password, ends every session of theirs and gives a new PIN to who stands at tills: (who, PIN).

    Raises Invalid for what is no password, NotFound for a link that is not good.
    """
    passwords.check_password(password)
    async with context.reader.connect() as connection:
        who = await invited(connection, token)
        at = None if any(it.venue is None for it in who.grants) else {it.venue for it in who.grants if it.venue}
        hashes = await pins_taken(connection, at, who.person)
    pin = await _free_pin(hashes) if who.at_tills else None
    hashed, pin_hash = await passwords.hash_secret(password), None if pin is None else await passwords.hash_pin(pin)
    async with context.engine.begin() as connection:
        if not await store.delete_invitation(connection, _sha256(token)):
            raise NotFound("This link is used or too old: ask for a new one.", "link-void")
        await store.set_secrets(connection, who.person, hashed, pin_hash)
        await store.delete_sessions_of(connection, who.person)
        await audit(connection, f"person:{who.person}", "person.accept", f"person:{who.person}", pin=pin is not None)
    return who, pin


async def _link(connection: AsyncConnection, by: Principal, person: UUID) -> Link:
    token, now = secrets.token_urlsafe(_TOKEN_BYTES), clock.now_us()
    link = Link(person, token, now + LIFETIME_US)
    await store.replace_invitation(
        connection,
        {
            "token_sha256": _sha256(token),
            "person": person,
            "made_by": by.actor,
            "made_at_us": now,
            "expires_at_us": link.expires_at_us,
        },
    )
    await audit(connection, by.actor, "person.link", f"person:{person}")
    return link


async def _free_pin(taken: list[str]) -> str:
    """One that nobody else has at the same venues: a till may know people by their PIN alone."""
    for _ in range(_PIN_TRIES):
        pin = f"{secrets.randbelow(_PINS):04d}"
        if not any([await passwords.verify_secret(it, pin) for it in taken]):
            return pin
    raise Conflict("No PIN is free at these venues.")


def _sha256(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
