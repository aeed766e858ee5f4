"""Who did what: one row for each act that changes rights, money's rules or people. Rows are only ever added."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity.tables import audit as audit_table
from app.platform import clock
from app.rules.ids import uuid7


async def audit(connection: AsyncConnection, actor: str, action: str, subject: str, **details: Any) -> None:
    """Adds a row in the caller's transaction: the act and its record are kept together or not at all.

    `actor` is `Principal.actor`, "server" or "command line"; `action` reads like "person.create"; `subject` like
    "person:<id>"; `details` are JSON and hold no secrets.
    """
    row = {
        "id": uuid7(),
        "at_us": clock.now_us(),
        "actor": actor,
        "action": action,
        "subject": subject,
        "details": json.dumps(details, ensure_ascii=False, sort_keys=True, default=str),
    }
    await connection.execute(audit_table.insert(), row)
