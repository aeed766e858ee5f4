"""People and their sessions. Every function commits before it returns."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity import passwords, store
from app.identity.audit import audit
from app.identity.people import add_person, newcomer, normal_login
from app.identity.roles import Grant, Principal
from app.platform import clock
from app.platform.context import Context
from app.platform.errors import Conflict, NotFound, NotSignedIn

IDLE_US = 12 * 3600 * 1_000_000
LIFETIME_US = 7 * 24 * 3600 * 1_000_000
# A write for every page looked at would make readers wait for the writers' lock.
SEEN_PRECISION_US = 5 * 60 * 1_000_000

_TOKEN_BYTES = 32
_USER_AGENT_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class Session:
    """`id` names the session without opening it: the SHA-256 of its token, in hexadecimal. `enrolled`: whether they
    have a second factor, `second_factor_reset`: whether somebody took it away; `second_factor_at_us`: when a code
    of it was given in this session last."""

    id: str
    person: UUID
    name: str
    login: str
    grants: frozenset[Grant]
    csrf: str
    created_at_us: int
    seen_at_us: int
    enrolled: bool
    second_factor_reset: bool
    second_factor_at_us: int | None

    @property
    def principal(self) -> Principal:
        return Principal(grants=self.grants, person=self.person, name=self.name)


@dataclass(frozen=True, slots=True)
class SessionSummary:
    id: str
    created_at_us: int
    seen_at_us: int
    user_agent: str


@dataclass(frozen=True, slots=True)
class NewSession:
    """`token` is for the cookie and is told this once; `csrf` is for forms and the X-CSRF-Token header."""

    token: str
    csrf: str
    person: UUID
    name: str


async def create_person(
    context: Context,
    login: str,
    name: str,
    password: str,
    pin: str | None = None,
    grants: Iterable[Grant] = (),
    *,
    actor: str,
) -> UUID:
    """Raises Invalid for what cannot be a login, name, password or PIN, and Conflict ("login-taken")."""
    new = await newcomer(login, name, password, pin)
    async with context.engine.begin() as connection:
        return await add_person(connection, new, grants, actor=actor)


async def sign_in(
    context: Context, login: str, password: str, user_agent: str = "", previous_token: str = ""
) -> NewSession:
    """A new session; the one of `previous_token`, if any, ends. Raises NotSignedIn ("wrong-credentials")."""
    async with context.reader.connect() as connection:
        found = await store.person_by_login(connection, normal_login(login))
    right = await passwords.verify_secret(found.password_hash if found else None, password)
    if found is None or not right or not found.active:
        # The same words and the same work whatever is wrong: nobody learns which logins exist.
        raise NotSignedIn("Login or password is not right.", "wrong-credentials")
    rehashed = await passwords.hash_secret(password) if passwords.needs_rehash(found.password_hash) else None
    token, csrf, now_us = secrets.token_urlsafe(_TOKEN_BYTES), secrets.token_urlsafe(24), clock.now_us()
    async with context.engine.begin() as connection:
        if rehashed is not None:
            await store.set_password_hash(connection, found.id, found.password_hash, rehashed)
        await store.delete_session(connection, _sha256(previous_token))
        await store.delete_ended_sessions(connection, now_us - LIFETIME_US, now_us - IDLE_US)
        values = {
            "token_sha256": _sha256(token),
            "person": found.id,
            "csrf": csrf,
            "created_at_us": now_us,
            "seen_at_us": now_us,
            "user_agent": user_agent[:_USER_AGENT_LENGTH_MAX],
        }
        await store.insert_session(connection, values)
        await audit(connection, f"person:{found.id}", "session.open", f"person:{found.id}")
    return NewSession(token, csrf, found.id, found.name)


async def find_session(context: Context, token: str) -> Session | None:
    """The live session of a cookie's token: seen within 12 h, begun within 7 days, of an active person."""
    if not token:
        return None
    now_us, token_sha256 = clock.now_us(), _sha256(token)
    async with context.reader.connect() as connection:
        rows = await store.session_rows(connection, token_sha256, now_us - LIFETIME_US, now_us - IDLE_US)
    if not rows:
        return None
    first = rows[0]
    if now_us - first.seen_at_us > SEEN_PRECISION_US:
        async with context.engine.begin() as connection:
            await store.mark_seen(connection, token_sha256, now_us)
    return Session(
        id=token_sha256.hex(),
        person=first.person,
        name=first.name,
        login=first.login,
        grants=store.grants_of(rows),
        csrf=first.csrf,
        created_at_us=first.created_at_us,
        seen_at_us=first.seen_at_us,
        enrolled=first.sealed is not None,
        second_factor_reset=first.reset_at_us is not None,
        second_factor_at_us=first.second_factor_at_us,
    )


async def renew(connection: AsyncConnection, session: Session) -> NewSession:
    """The same session under a new token, as one in which a code of the second factor was just given: whoever knew the
    old token gains nothing. Forms that are open elsewhere stay good. Raises NotSignedIn when it has ended meanwhile."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    if not await store.renew_session(connection, bytes.fromhex(session.id), _sha256(token), clock.now_us()):
        raise NotSignedIn
    return NewSession(token, session.csrf, session.person, session.name)


async def sign_out(context: Context, session: Session) -> None:
    await _end_session(context, session, session.id)


async def revoke_session(context: Context, session: Session, session_id: str) -> None:
    """Ends another session of the same person. Raises NotFound if they have no such session."""
    if not await _end_session(context, session, session_id):
        raise NotFound("You have no such session.")


async def end_other_sessions(context: Context, session: Session) -> int:
    """Every session of the person but this one; how many there were."""
    async with context.engine.begin() as connection:
        ended = await store.delete_sessions_of(connection, session.person, bytes.fromhex(session.id))
        if ended:
            actor = session.principal.actor
            await audit(connection, actor, "session.close_others", actor, number=ended)
    return ended


async def list_sessions(context: Context, person_id: UUID) -> list[SessionSummary]:
    """The person's live sessions, the one used last first."""
    now_us = clock.now_us()
    async with context.reader.connect() as connection:
        rows = await store.sessions_of(connection, person_id, now_us - LIFETIME_US, now_us - IDLE_US)
    return [SessionSummary(row.token_sha256.hex(), row.created_at_us, row.seen_at_us, row.user_agent) for row in rows]


async def change_password(context: Context, session: Session, current: str, new: str) -> None:
    """Every other session of the person ends. Raises NotSignedIn ("wrong-credentials") or Invalid."""
    passwords.check_password(new)
    before = await check_own_password(context, session, current)
    hashed = await passwords.hash_secret(new)
    async with context.engine.begin() as connection:
        if not await store.set_password_hash(connection, session.person, before, hashed):
            raise Conflict("The password was changed elsewhere in this very moment.")
        await store.delete_sessions_of(connection, session.person, bytes.fromhex(session.id))
        await audit(connection, session.principal.actor, "person.change_password", session.principal.actor)


async def check_own_password(context: Context, session: Session, password: str) -> str:
    """Its hash. Raises NotSignedIn ("wrong-credentials")."""
    async with context.reader.connect() as connection:
        found = await store.person_by_id(connection, session.person)
    if found is None or not await passwords.verify_secret(found.password_hash, password):
        raise NotSignedIn("The present password is not right.", "wrong-credentials")
    return str(found.password_hash)


async def names_of(connection: AsyncConnection, actors: Iterable[str]) -> dict[str, str]:
    """Names of people by how the audit log names them; other actors are left out."""
    ids = [UUID(it.removeprefix("person:")) for it in actors if it.startswith("person:")]
    return {f"person:{id_}": name for id_, name in (await store.names(connection, ids)).items()}


async def _end_session(context: Context, session: Session, session_id: str) -> bool:
    try:
        token_sha256 = bytes.fromhex(session_id)
    except ValueError:
        return False
    async with context.engine.begin() as connection:
        ended = await store.delete_session(connection, token_sha256, session.person)
        if ended:
            await audit(connection, session.principal.actor, "session.close", session.principal.actor)
    return ended


def _sha256(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
