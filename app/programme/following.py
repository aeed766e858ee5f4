"""Following the programme by e-mail: asked for on a page, confirmed by the link of a first message (double opt-in),
ended by the link of any other. Nothing is known of a follower but the address and what they follow.

The links carry the follow's id under a MAC of the server's key: whoever has the message may use it, nobody else.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.mail.service import Letter, queue
from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.platform.errors import NotFound
from app.programme.tables import announced, follow
from app.rules.ids import uuid7

Kind = Literal["network", "venue", "artist", "event", "near"]
Language = Literal["fr", "en"]

CONFIRM: Final = "programme/confirm_mail"
# A question that was not answered for so long was nobody's wish.
UNCONFIRMED_US: Final = 7 * 24 * 3600 * 1_000_000
# Asked again, the question is sent again, but not twice within an hour.
_AGAIN_US: Final = 3600 * 1_000_000
_MARK: Final = b"comptoir-follow-1"
_MARK_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Follow:
    """`about`: the id of a venue, artist or event; a `Near` as text; "" for the network."""

    id: UUID
    address: str
    language: Language
    kind: Kind
    about: str
    confirmed_at_us: int | None
    told_until_us: int


_FOLLOW: Final = tuple(follow.c[name] for name in Follow.__dataclass_fields__)


def token_of(key: bytes, id_: UUID) -> str:
    return base64.urlsafe_b64encode(id_.bytes + _mark(key, id_)).decode().rstrip("=")


def link(base: str, key: bytes, id_: UUID, end: bool = False) -> str:
    return f"{base}/follow/{token_of(key, id_)}{'/end' if end else ''}"


async def behind(connection: AsyncConnection, key: bytes, token: str) -> Follow | None:
    """None: it ended, or was forgotten. NotFound: no link of ours."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        id_ = UUID(bytes=raw[:16])
    except ValueError as error:
        raise NotFound from error
    if not hmac.compare_digest(raw[16:], _mark(key, id_)):
        raise NotFound
    row = (await connection.execute(sa.select(*_FOLLOW).where(follow.c.id == id_))).one_or_none()
    return None if row is None else Follow(*row)


async def ask(
    connection: AsyncConnection,
    key: bytes,
    base: str,
    address: str,
    language: Language,
    kind: Kind,
    about: str,
    title: str,
    network: str,
) -> None:
    """Ask whoever reads this address whether they want it; who follows already is left in peace. `title`: of what is
    followed."""
    insert, now = sqlite.insert if is_sqlite(connection) else postgresql.insert, now_us()
    row = {"id": uuid7(), "address": address, "language": language, "kind": kind, "about": about}
    new = insert(follow).values(**row, created_at_us=now, told_until_us=now)
    await connection.execute(new.on_conflict_do_nothing(index_elements=["address", "kind", "about"]))
    same = (follow.c.address == address, follow.c.kind == kind, follow.c.about == about)
    known = (await connection.execute(sa.select(*_FOLLOW).where(*same))).one_or_none()
    if known is None or known.confirmed_at_us is not None:
        return
    data = {"network_name": network, "title": title, "kind": kind, "link": link(base, key, known.id)}
    again = uuid5(known.id, f"confirm:{now // _AGAIN_US}")
    await queue(connection, Letter(again, CONFIRM, language, address, data))


async def confirm(connection: AsyncConnection, id_: UUID) -> None:
    """From now on they are told. Twice is once."""
    now, waiting = now_us(), (follow.c.id == id_, follow.c.confirmed_at_us.is_(None))
    await connection.execute(sa.update(follow).where(*waiting).values(confirmed_at_us=now, told_until_us=now))


async def end(connection: AsyncConnection, id_: UUID) -> None:
    """Nothing of it is kept."""
    await connection.execute(sa.delete(follow).where(follow.c.id == id_))


async def end_all(connection: AsyncConnection, address: str) -> int:
    """Whatever this address follows: how many that was."""
    return (await connection.execute(sa.delete(follow).where(follow.c.address == address))).rowcount


async def forget_unconfirmed(connection: AsyncConnection) -> None:
    old = (follow.c.confirmed_at_us.is_(None), follow.c.created_at_us < now_us() - UNCONFIRMED_US)
    await connection.execute(sa.delete(follow).where(*old))


async def followers(
    connection: AsyncConnection, *kinds: Kind, about: str | None = None, told_before_us: int | None = None
) -> list[Follow]:
    """Who confirmed, by address."""
    query = sa.select(*_FOLLOW).where(follow.c.confirmed_at_us.is_not(None), follow.c.kind.in_(kinds))
    if about is not None:
        query = query.where(follow.c.about == about)
    if told_before_us is not None:
        query = query.where(follow.c.told_until_us < told_before_us)
    rows = await connection.execute(query.order_by(follow.c.address, follow.c.id))
    return [Follow(*row) for row in rows]


async def announced_since(connection: AsyncConnection, events: Sequence[UUID], now: int) -> dict[UUID, int]:
    """When each of these published events was first seen; now, for those that nobody saw yet."""
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    rows = await connection.execute(sa.select(announced).where(announced.c.event.in_(events)))
    known = {row.event: row.at_us for row in rows}
    if new := [{"event": it, "at_us": now} for it in events if it not in known]:
        await connection.execute(insert(announced).on_conflict_do_nothing(), new)
    return {it: known.get(it, now) for it in events}


async def told(connection: AsyncConnection, it: Follow, until_us: int) -> bool:
    """Whether it was ours to tell: of two processes one gets it."""
    same = (follow.c.id == it.id, follow.c.told_until_us == it.told_until_us)
    return bool((await connection.execute(sa.update(follow).where(*same).values(told_until_us=until_us))).rowcount)


def _mark(key: bytes, id_: UUID) -> bytes:
    return hmac.digest(key, _MARK + id_.bytes, "sha256")[:_MARK_BYTES]
