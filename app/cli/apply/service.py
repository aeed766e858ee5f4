"""Make the database's network like a file's: look, say what would be done, do it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.cli.apply.carry_out import Work
from app.cli.apply.document import NetworkEntry
from app.cli.apply.plan import Change, Impossible, plan
from app.cli.apply.present import present
from app.identity.people import newcomer
from app.identity.roles import Role
from app.platform.context import Context
from app.platform.errors import Conflict
from app.venues.offer import held


@dataclass(frozen=True, slots=True)
class Key:
    """What a new person signs in with: on the pages with the password, at a terminal with the PIN. Told once."""

    password: str
    pin: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """What `accept` would do to make the network like `want`. `keys`: of new people, by login."""

    want: NetworkEntry
    changes: tuple[Change, ...]
    keys: Mapping[str, Key]


async def propose(context: Context, want: NetworkEntry) -> Proposal:
    """Raises Impossible, and Conflict when the database's network cannot be told in a file."""
    async with context.reader.connect() as connection:
        have = await present(connection)
    roles = {role for it in (want.people or {}).values() for role, _ in it.roles}
    if have is None and Role.NETWORK_ADMIN not in roles:
        raise Impossible(["people: a new network needs a network_admin, or nobody could sign in and manage it"])
    changes = plan(have, want)
    keys = {
        it.name[0]: Key(secrets.token_urlsafe(9), f"{secrets.randbelow(10**4):04d}")
        for it in changes
        if it.subject == "person" and it.sign == "+"
    }
    return Proposal(want, tuple(changes), keys)


async def accept(context: Context, it: Proposal, actor: str) -> None:
    """All of it, in one transaction. Raises Conflict when the network is no longer as it was looked at."""
    newcomers = {
        login: await newcomer(login, (it.want.people or {})[login].name, key.password, key.pin)
        for login, key in it.keys.items()
    }
    async with context.engine.begin() as connection:
        await held(connection)
        if tuple(plan(await present(connection), it.want)) != it.changes:
            raise Conflict("The network has changed since the plan was made: look at the new plan.")
        await Work(connection, it.want, newcomers, actor).do(it.changes)


async def network_now(context: Context, *, people: bool) -> NetworkEntry | None:
    """What `export` writes; None when there is no network yet."""
    async with context.reader.connect() as connection:
        found = await present(connection)
    return found if found is None or people else replace(found, people=None)
