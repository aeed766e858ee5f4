"""Logs of terminals: asked for by an admin, sent by the terminal at its next report, kept for some days."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity.roles import Principal
from app.platform.clock import now_us
from app.platform.errors import Invalid, NotFound
from app.rules.ids import uuid7
from app.terminals.tables import log_bundle
from app.wire import LogBundle

KEPT_DAYS = 7
_KEPT_US = KEPT_DAYS * 86_400 * 1_000_000
_GZIP = b"\x1f\x8b"


async def ask(connection: AsyncConnection, terminal: UUID, by: Principal) -> UUID:
    """Ask for a terminal's logs; one that waits to be answered already is the same question."""
    await _forget_old(connection)
    if (waiting := await wanted(connection, terminal)) is not None:
        return waiting
    id_ = uuid7()
    asked = {"asked_by": by.actor, "asked_by_name": by.name, "asked_at_us": now_us()}
    await connection.execute(sa.insert(log_bundle).values(id=id_, terminal=terminal, **asked))
    return id_


async def wanted(connection: AsyncConnection, terminal: UUID) -> UUID | None:
    """The question that this terminal has not answered yet."""
    query = sa.select(log_bundle.c.id).where(log_bundle.c.terminal == terminal, log_bundle.c.received_at_us.is_(None))
    found: UUID | None = (await connection.execute(query.order_by(log_bundle.c.id).limit(1))).scalar_one_or_none()
    return found


async def keep(connection: AsyncConnection, bundle: LogBundle) -> None:
    """Keep what came, once. NotFound: nobody asked, or not any more. Invalid: no gzip file."""
    try:
        content = base64.b64decode(bundle.content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid("content must be base64.") from error
    if not content.startswith(_GZIP):
        raise Invalid("content must be a gzip file.")
    await _forget_old(connection)
    kept = await connection.execute(
        sa.update(log_bundle)
        .where(
            log_bundle.c.id == bundle.request,
            log_bundle.c.terminal == bundle.device,
            log_bundle.c.received_at_us.is_(None),
        )
        .values(content=content, received_at_us=now_us())
    )
    if kept.rowcount != 1:
        raise NotFound("Nobody asked for these logs.")


async def bundles(connection: AsyncConnection, terminal: UUID) -> list[Any]:
    """id, asked_by_name, asked_at_us, received_at_us, the newest first."""
    columns = (log_bundle.c.id, log_bundle.c.asked_by_name, log_bundle.c.asked_at_us, log_bundle.c.received_at_us)
    where = (log_bundle.c.terminal == terminal, log_bundle.c.asked_at_us > now_us() - _KEPT_US)
    return list(await connection.execute(sa.select(*columns).where(*where).order_by(log_bundle.c.asked_at_us.desc())))


async def content_of(connection: AsyncConnection, terminal: UUID, id_: UUID) -> bytes:
    """The gzip file. NotFound."""
    where = (log_bundle.c.id == id_, log_bundle.c.terminal == terminal, log_bundle.c.asked_at_us > now_us() - _KEPT_US)
    found = (await connection.execute(sa.select(log_bundle.c.content).where(*where))).scalar_one_or_none()
    if found is None:
        raise NotFound("There are no such logs any more.")
    return bytes(found)


async def _forget_old(connection: AsyncConnection) -> None:
    await connection.execute(sa.delete(log_bundle).where(log_bundle.c.asked_at_us <= now_us() - _KEPT_US))
