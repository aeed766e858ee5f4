"""The statements on people and sessions. The caller holds the transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity.roles import Grant, Role
from app.identity.tables import invitation as invitation_table
from app.identity.tables import person, person_role, second_factor, session
from app.rules.ids import uuid7

Row = sa.Row[Any]


async def insert_person(connection: AsyncConnection, values: dict[str, Any]) -> None:
    await connection.execute(person.insert(), values)


async def insert_grants(connection: AsyncConnection, person_id: UUID, grants: Iterable[Grant]) -> None:
    rows = [{"id": uuid7(), "person": person_id, "role": grant.role.value, "venue": grant.venue} for grant in grants]
    if rows:
        await connection.execute(person_role.insert(), rows)


async def person_by_login(connection: AsyncConnection, login: str) -> Row | None:
    return (await connection.execute(sa.select(person).where(person.c.login == login))).one_or_none()


async def person_by_id(connection: AsyncConnection, person_id: UUID) -> Row | None:
    return (await connection.execute(sa.select(person).where(person.c.id == person_id))).one_or_none()


async def names(connection: AsyncConnection, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Of people who were ever in the network."""
    rows = await connection.execute(sa.select(person.c.id, person.c.name).where(person.c.id.in_(list(ids))))
    return {row.id: row.name for row in rows}


async def active_people(connection: AsyncConnection) -> list[Row]:
    """A row for each grant, or one with none; in the order in which they came."""
    statement = (
        sa.select(person, person_role.c.role, person_role.c.venue)
        .outerjoin(person_role, person_role.c.person == person.c.id)
        .where(person.c.active)
        .order_by(person.c.created_at_us, person.c.login)
    )
    return list((await connection.execute(statement)).all())


async def everybody(connection: AsyncConnection) -> list[Row]:
    """As `active_people`, with those who left."""
    statement = (
        sa.select(person, person_role.c.role, person_role.c.venue)
        .outerjoin(person_role, person_role.c.person == person.c.id)
        .order_by(person.c.active.desc(), person.c.name, person.c.login)
    )
    return list((await connection.execute(statement)).all())


async def grants_held(connection: AsyncConnection, person_id: UUID) -> frozenset[Grant]:
    rows = await connection.execute(sa.select(person_role).where(person_role.c.person == person_id))
    return grants_of(list(rows))


async def delete_grant(connection: AsyncConnection, person_id: UUID, it: Grant) -> bool:
    """Whether they had it."""
    at = person_role.c.venue.is_(None) if it.venue is None else person_role.c.venue == it.venue
    found = (person_role.c.person == person_id) & (person_role.c.role == it.role.value) & at
    return (await connection.execute(person_role.delete().where(found))).rowcount == 1


async def network_admins(connection: AsyncConnection, *, lock: bool) -> set[UUID]:
    """Those who may sign in. Locked: nobody becomes none, or leaves, before the transaction ends."""
    query = (
        sa.select(person.c.id)
        .join(person_role, person_role.c.person == person.c.id)
        .where(person.c.active, person_role.c.role == Role.NETWORK_ADMIN.value)
        .order_by(person.c.id)
    )
    return set((await connection.execute(query.with_for_update() if lock else query)).scalars())


async def set_active(connection: AsyncConnection, person_id: UUID, active: bool) -> bool:
    """Whether that was a change."""
    other = (person.c.id == person_id) & (person.c.active != active)
    return (await connection.execute(person.update().where(other).values(active=active))).rowcount == 1


async def set_secrets(connection: AsyncConnection, person_id: UUID, password_hash: str, pin_hash: str | None) -> None:
    """Without a PIN, the one that they have stays."""
    values = {"password_hash": password_hash} | ({} if pin_hash is None else {"pin_hash": pin_hash})
    await connection.execute(person.update().where(person.c.id == person_id).values(values))


async def replace_invitation(connection: AsyncConnection, values: dict[str, Any]) -> None:
    await connection.execute(invitation_table.delete().where(invitation_table.c.person == values["person"]))
    await connection.execute(invitation_table.insert(), values)


async def invitation(connection: AsyncConnection, token_sha256: bytes, now_us: int) -> Row | None:
    """One that is good still, with whose it is."""
    query = (
        sa.select(invitation_table, person.c.login, person.c.name)
        .join(person, person.c.id == invitation_table.c.person)
        .where(invitation_table.c.token_sha256 == token_sha256, invitation_table.c.expires_at_us > now_us)
        .where(person.c.active)
    )
    return (await connection.execute(query)).one_or_none()


async def delete_invitation(connection: AsyncConnection, token_sha256: bytes) -> bool:
    """Whether there was one."""
    found = invitation_table.c.token_sha256 == token_sha256
    return (await connection.execute(invitation_table.delete().where(found))).rowcount == 1


async def set_name(connection: AsyncConnection, person_id: UUID, name: str) -> None:
    await connection.execute(person.update().where(person.c.id == person_id).values(name=name))


async def person_by_card(connection: AsyncConnection, card: str) -> Row | None:
    """`card`: the chip's number."""
    return (await connection.execute(sa.select(person).where(person.c.card_uid == card))).one_or_none()


async def set_card(connection: AsyncConnection, person_id: UUID, card: str | None) -> bool:
    """Whether that was a change."""
    other = (person.c.id == person_id) & person.c.card_uid.is_distinct_from(card)
    return (await connection.execute(person.update().where(other).values(card_uid=card))).rowcount == 1


async def hand_badge_on(connection: AsyncConnection, card: str, to: str | None) -> None:
    """Whoever signs in at terminals with this card does so with another one; with none, where that is somebody's."""
    taken = sa.exists(sa.select(1).where(person.c.card_uid == to).correlate(None))
    given = sa.case((taken, sa.null()), else_=to)
    await connection.execute(person.update().where(person.c.card_uid == card).values(card_uid=given))


async def delete_grants(connection: AsyncConnection, person_id: UUID) -> None:
    await connection.execute(person_role.delete().where(person_role.c.person == person_id))


async def set_password_hash(connection: AsyncConnection, person_id: UUID, before: str, after: str) -> bool:
    """Whether the hash was still `before`: two changes at once do not overwrite each other."""
    unchanged = (person.c.id == person_id) & (person.c.password_hash == before)
    result = await connection.execute(person.update().where(unchanged).values(password_hash=after))
    return result.rowcount == 1


async def insert_session(connection: AsyncConnection, values: dict[str, Any]) -> None:
    await connection.execute(session.insert(), values)


async def session_rows(
    connection: AsyncConnection, token_sha256: bytes, created_after_us: int, seen_after_us: int
) -> list[Row]:
    """A live session of an active person: a row for each grant, or one with none. No row: no such session."""
    statement = (
        sa.select(
            session,
            person.c.name,
            person.c.login,
            person_role.c.role,
            person_role.c.venue,
            second_factor.c.sealed,
            second_factor.c.reset_at_us,
        )
        .join(person, person.c.id == session.c.person)
        .outerjoin(second_factor, second_factor.c.person == person.c.id)
        .outerjoin(person_role, person_role.c.person == person.c.id)
        .where(session.c.token_sha256 == token_sha256, person.c.active, *_live(created_after_us, seen_after_us))
    )
    return list((await connection.execute(statement)).all())


async def sessions_of(
    connection: AsyncConnection, person_id: UUID, created_after_us: int, seen_after_us: int
) -> list[Row]:
    statement = (
        sa.select(session)
        .where(session.c.person == person_id, *_live(created_after_us, seen_after_us))
        .order_by(session.c.seen_at_us.desc())
    )
    return list((await connection.execute(statement)).all())


async def mark_seen(connection: AsyncConnection, token_sha256: bytes, seen_at_us: int) -> None:
    await connection.execute(
        session.update().where(session.c.token_sha256 == token_sha256).values(seen_at_us=seen_at_us)
    )


async def renew_session(connection: AsyncConnection, before_sha256: bytes, after_sha256: bytes, now_us: int) -> bool:
    """A new token, and trusted as of now; whether there was such a session."""
    values = {"token_sha256": after_sha256, "second_factor_at_us": now_us}
    changed = await connection.execute(session.update().where(session.c.token_sha256 == before_sha256).values(values))
    return changed.rowcount == 1


async def lock_person(connection: AsyncConnection, person_id: UUID) -> None:
    """Until the end of the transaction: what is decided about somebody at once is decided one after another."""
    await connection.execute(sa.select(person.c.id).where(person.c.id == person_id).with_for_update())


async def delete_session(connection: AsyncConnection, token_sha256: bytes, person_id: UUID | None = None) -> bool:
    """Whether there was one. With `person_id`, only a session of that person's."""
    statement = session.delete().where(session.c.token_sha256 == token_sha256)
    if person_id is not None:
        statement = statement.where(session.c.person == person_id)
    return (await connection.execute(statement)).rowcount == 1


async def delete_sessions_of(connection: AsyncConnection, person_id: UUID, except_sha256: bytes = b"") -> int:
    """How many there were."""
    others = (session.c.person == person_id) & (session.c.token_sha256 != except_sha256)
    return (await connection.execute(session.delete().where(others))).rowcount


async def delete_ended_sessions(connection: AsyncConnection, created_after_us: int, seen_after_us: int) -> None:
    await connection.execute(session.delete().where(sa.not_(sa.and_(*_live(created_after_us, seen_after_us)))))


def grants_of(rows: Iterable[Row]) -> frozenset[Grant]:
    return frozenset(Grant(Role(row.role), row.venue) for row in rows if row.role is not None)


def _live(created_after_us: int, seen_after_us: int) -> tuple[sa.ColumnElement[bool], ...]:
    return session.c.created_at_us > created_after_us, session.c.seen_at_us > seen_after_us
