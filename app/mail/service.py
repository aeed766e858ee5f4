"""Messages: left to be sent in the transaction of what they tell of, and looked after by admins.

async with engine.begin() as connection:
    ...                                                     # what happened
    await queue(connection, Letter(id_, "topups/receipt_mail", "fr", "awa@example.org", {"amount": 2000}))

A message has one id for good: queued again under it, it is the same message. `Letter.data` is what the template sees,
beside `base_url`; it travels as JSON. A secret that opens something (`sealed`) is readable only while it is being sent,
by a server that has the keys. `data["unsubscribe"]` is the address at which a reader ends such messages.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity.audit import audit
from app.mail.rules import KEPT_US, again_us
from app.mail.tables import mail
from app.platform.clock import now_us
from app.platform.errors import Conflict, NotFound
from app.platform.sealing import seal, unseal

Status = Literal["waiting", "sent", "failed"]

LISTED_MAX = 100
ERROR_MAX = 300
SEALED = "sealed"
_PURPOSE = b"comptoir-mail-1"


@dataclass(frozen=True, slots=True)
class Letter:
    id: UUID
    template: str
    language: Literal["fr", "en"]
    recipient: str
    data: Mapping[str, Any] = field(repr=False)
    # How often it failed in a row, and since when it is tried.
    attempts: int = 0
    since_us: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """`recipient`: None once it was forgotten. `next_at_us`: None for what has ended."""

    id: UUID
    template: str
    recipient: str | None
    status: Status
    attempts: int
    created_at_us: int
    next_at_us: int | None
    ended_at_us: int | None
    last_error: str | None


_LISTED = [mail.c[name] for name in Listed.__dataclass_fields__]


async def queue(connection: AsyncConnection, letter: Letter) -> None:
    """It is sent once the caller's transaction is committed, and not if it is not."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    now = now_us()
    row = {
        "id": letter.id,
        "template": letter.template,
        "language": letter.language,
        "recipient": letter.recipient,
        "data": json.dumps(letter.data),
        "status": "waiting",
        "attempts": 0,
        "created_at_us": now,
        "waiting_since_us": now,
        "next_at_us": now,
        "leased_until_us": 0,
    }
    await connection.execute(insert(mail).values(row).on_conflict_do_nothing())


def sealed(key: bytes, letter: UUID, secret: str) -> dict[str, str]:
    """A part of this letter's data: its template sees it as `secret`. `key`: the server's token key."""
    return {SEALED: base64.b64encode(seal(key, _PURPOSE, secret.encode(), letter.bytes)).decode()}


def opened(key: bytes, letter: Letter) -> Mapping[str, Any]:
    """The letter's data as its template sees it. ValueError: it was sealed under another key."""
    data = dict(letter.data)
    if (kept := data.pop(SEALED, None)) is not None:
        data["secret"] = unseal(key, _PURPOSE, base64.b64decode(kept), letter.id.bytes).decode()
    return data


async def due(connection: AsyncConnection, now: int, limit: int) -> list[UUID]:
    """What should be sent now and nobody is sending, the longest waiting first."""
    query = sa.select(mail.c.id).where(mail.c.next_at_us <= now, mail.c.leased_until_us < now)
    return list((await connection.execute(query.order_by(mail.c.next_at_us, mail.c.id).limit(limit))).scalars())


async def lease(connection: AsyncConnection, id_: UUID, sender: UUID, now: int, until_us: int) -> Letter | None:
    """It is `sender`'s to send until then; None where it is another's, or has ended. The decision is the UPDATE's own,
    so of two processes one gets it."""
    free = (mail.c.id == id_, mail.c.next_at_us <= now, mail.c.leased_until_us < now)
    taken = sa.update(mail).where(*free).values(leased_by=sender, leased_until_us=until_us).returning(mail)
    row = (await connection.execute(taken)).one_or_none()
    if row is None:
        return None
    data = json.loads(row.data)
    return Letter(row.id, row.template, row.language, row.recipient, data, row.attempts, row.waiting_since_us)


async def sent(connection: AsyncConnection, it: Letter, sender: UUID) -> None:
    """Whoever carries it has it. Also when the lease has run out meanwhile: it is gone."""
    done = {"status": "sent", "next_at_us": None, "ended_at_us": now_us(), "last_error": None, "leased_until_us": 0}
    values = {**done, "attempts": it.attempts + 1, "leased_by": sender}
    await connection.execute(sa.update(mail).where(mail.c.id == it.id, mail.c.status == "waiting").values(values))


async def failed(connection: AsyncConnection, it: Letter, sender: UUID, error: str, *, for_good: bool) -> bool:
    """It was not taken: whether it is given up, at once (`for_good`) or after all this time."""
    now, attempts = now_us(), it.attempts + 1
    next_us = None if for_good else again_us(it.since_us, attempts, now)
    values: dict[str, Any] = {
        "status": "failed" if next_us is None else "waiting",
        "attempts": attempts,
        "next_at_us": next_us,
        "ended_at_us": now if next_us is None else None,
        "last_error": error[:ERROR_MAX],
        "leased_until_us": 0,
    }
    mine = (mail.c.id == it.id, mail.c.status == "waiting", mail.c.leased_by == sender)
    await connection.execute(sa.update(mail).where(*mine).values(values))
    return next_us is None


async def listed(connection: AsyncConnection) -> list[Listed]:
    """What was given up, then what waits, then what was sent; the newest of each first."""
    order = sa.case((mail.c.status == "failed", 0), (mail.c.status == "waiting", 1), else_=2)
    query = sa.select(*_LISTED).order_by(order, mail.c.created_at_us.desc(), mail.c.id).limit(LISTED_MAX)
    return [Listed(*row) for row in await connection.execute(query)]


async def given_up(connection: AsyncConnection) -> int:
    """How many were given up and can still be sent."""
    query = sa.select(sa.func.count()).where(mail.c.status == "failed", mail.c.recipient.is_not(None))
    return int((await connection.execute(query)).scalar_one())


async def send_again(connection: AsyncConnection, actor: str, id_: UUID) -> None:
    """One that was given up is tried anew. Twice at once is once. Conflict: it was sent, or nobody knows any more to
    whom."""
    now = now_us()
    stopped = (mail.c.id == id_, mail.c.status == "failed", mail.c.recipient.is_not(None))
    fresh = {"status": "waiting", "attempts": 0, "waiting_since_us": now, "next_at_us": now, "ended_at_us": None}
    if (await connection.execute(sa.update(mail).where(*stopped).values(fresh))).rowcount:
        await audit(connection, actor, "mail.again", f"mail:{id_}")
        return
    status = (await connection.execute(sa.select(mail.c.status).where(mail.c.id == id_))).scalar_one_or_none()
    if status is None:
        raise NotFound("There is no such message.")
    if status != "waiting":
        raise Conflict("This message cannot be sent again.")


async def forget_old(connection: AsyncConnection) -> int:
    """To whom messages went and what was in them: only what became of each is kept."""
    old = (mail.c.ended_at_us < now_us() - KEPT_US, mail.c.recipient.is_not(None))
    done = await connection.execute(sa.update(mail).where(*old).values(recipient=None, data=None))
    return done.rowcount
