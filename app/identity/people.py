"""Who works in the network, as its administrator sets them up. The caller holds the transaction."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity import passwords, store
from app.identity.audit import audit
from app.identity.roles import Grant
from app.platform import clock
from app.platform.errors import Conflict, Invalid
from app.rules.ids import uuid7

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,63}")
_NAME_LENGTH_MAX = 80
WRONG = {
    "login": "A login has 2 to 64 letters without accents, digits or . _ @ + - and begins with one.",
    "name": "A name has 1 to 80 characters.",
}


@dataclass(frozen=True, slots=True)
class Person:
    id: UUID
    login: str
    name: str
    grants: frozenset[Grant]


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody who can be written down at once: what takes long, hashing, is done."""

    login: str
    name: str
    password_hash: str
    pin_hash: str | None


def normal_login(login: str) -> str:
    return login.strip().lower()


# Not a hash: nothing that is typed is right before they have chosen a password.
_NOT_CHOSEN = "!"


def checked_name(login: str, name: str) -> Newcomer:
    """Somebody who chooses their password themselves. Raises Invalid for what cannot be a login or name."""
    login, name = normal_login(login), name.strip()
    if not _LOGIN.fullmatch(login):
        raise Invalid(WRONG["login"], field="login")
    if not 1 <= len(name) <= _NAME_LENGTH_MAX:
        raise Invalid(WRONG["name"], field="name")
    return Newcomer(login, name, _NOT_CHOSEN, None)


async def newcomer(login: str, name: str, password: str, pin: str | None = None) -> Newcomer:
    """Raises Invalid for what cannot be a login, name, password or PIN."""
    new = checked_name(login, name)
    passwords.check_password(password)
    if pin is not None:
        passwords.check_pin(pin)
    pin_hash = None if pin is None else await passwords.hash_pin(pin)
    return replace(new, password_hash=await passwords.hash_secret(password), pin_hash=pin_hash)


async def add_person(connection: AsyncConnection, new: Newcomer, grants: Iterable[Grant], *, actor: str) -> UUID:
    """Raises Conflict ("login-taken"), after which the transaction is of no more use."""
    id_, given = uuid7(), frozenset(grants)
    values = {
        "id": id_,
        "login": new.login,
        "name": new.name,
        "password_hash": new.password_hash,
        "pin_hash": new.pin_hash,
        "active": True,
        "created_at_us": clock.now_us(),
    }
    try:
        await store.insert_person(connection, values)
    except sa.exc.IntegrityError as error:
        if "login" not in str(error.orig):
            raise
        raise Conflict(f"The login {new.login} is taken.", "login-taken") from None
    await store.insert_grants(connection, id_, given)
    await audit(connection, actor, "person.create", f"person:{id_}", login=new.login, grants=_texts(given))
    return id_


async def people(connection: AsyncConnection) -> dict[str, Person]:
    """Everybody who may sign in, by login."""
    found: dict[str, list[store.Row]] = {}
    for row in await store.active_people(connection):
        found.setdefault(row.login, []).append(row)
    return {login: Person(rows[0].id, login, rows[0].name, store.grants_of(rows)) for login, rows in found.items()}


async def change_person(
    connection: AsyncConnection, who: Person, name: str, grants: Collection[Grant], *, actor: str
) -> None:
    """Another name, other rights: sessions that are open have them with their next request."""
    await store.set_name(connection, who.id, name)
    await store.delete_grants(connection, who.id)
    await store.insert_grants(connection, who.id, frozenset(grants))
    await audit(
        connection, actor, "person.change", f"person:{who.id}", name=name, was=_texts(who.grants), grants=_texts(grants)
    )


def _texts(grants: Iterable[Grant]) -> list[str]:
    return sorted(f"{grant.role}@{grant.venue or 'network'}" for grant in grants)
