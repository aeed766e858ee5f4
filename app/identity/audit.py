"""Who did what: one row for each act that changes rights, money's rules or people, and for what
was looked at or taken away as a file (app/identity/recorded.py). Rows are only ever added."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity.mentions import mentioned
from app.identity.tables import audit as audit_table
from app.identity.tables import audit_mention
from app.platform import clock
from app.platform.kept_rows import AppendOnly
from app.rules.ids import uuid7

GUARDS = AppendOnly({"audit": "id = NEW.id"}, "audit_refuse", "what was recorded stays")
MENTIONS = AppendOnly(
    {"audit_mention": "word = NEW.word AND at_us = NEW.at_us AND entry = NEW.entry"},
    "audit_mention_refuse",
    "what was recorded stays",
)


async def audit(connection: AsyncConnection, actor: str, action: str, subject: str, **details: Any) -> None:
    """Adds a row in the caller's transaction: the act and its record are kept together or not at all.

    `actor` is `Principal.actor`, "server" or "command line"; `action` reads like "person.create"; `subject` like
    "person:<id>"; `details` are JSON and hold no secrets.
    """
    row: dict[str, Any] = {
        "id": uuid7(),
        "at_us": clock.now_us(),
        "actor": actor,
        "action": action,
        "subject": subject,
        "details": json.dumps(details, ensure_ascii=False, sort_keys=True, default=str),
    }
    await connection.execute(audit_table.insert(), row)
    if words := mentioned(actor, subject, row["details"], str(details.get("asked", ""))):
        at = {"at_us": row["at_us"], "entry": row["id"]}
        await connection.execute(audit_mention.insert(), [{"word": it, **at} for it in sorted(words)])


@dataclass(frozen=True, slots=True)
class Noted:
    """One act as it was recorded."""

    at_us: int
    actor: str
    details: Mapping[str, Any]


async def last_by(connection: AsyncConnection, action: str, subject: str, since_us: int) -> str | None:
    """Who did this to the subject last, since an instant."""
    table = audit_table
    query = sa.select(table.c.actor).where(table.c.action == action, table.c.subject == subject)
    query = query.where(table.c.at_us >= since_us).order_by(table.c.at_us.desc(), table.c.id.desc())
    return (await connection.execute(query.limit(1))).scalar_one_or_none()


async def last_about(connection: AsyncConnection, action: str, subject: str) -> Noted | None:
    """What was done to the subject last by this name."""
    table = audit_table
    query = sa.select(table).where(table.c.action == action, table.c.subject == subject)
    row = (await connection.execute(query.order_by(table.c.at_us.desc(), table.c.id.desc()).limit(1))).one_or_none()
    return None if row is None else Noted(row.at_us, row.actor, json.loads(row.details))


async def newest(connection: AsyncConnection, action: str, limit: int) -> list[Noted]:
    """The last acts of this name, the newest first."""
    table = audit_table
    query = sa.select(table).where(table.c.action == action).order_by(table.c.at_us.desc(), table.c.id.desc())
    rows = await connection.execute(query.limit(limit))
    return [Noted(row.at_us, row.actor, json.loads(row.details)) for row in rows]
