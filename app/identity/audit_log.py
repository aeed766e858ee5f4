"""Reading the audit log: who saw, changed or exported what, the newest first."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity.tables import audit
from app.platform.errors import Invalid

Kind = Literal["saw", "exported", "changed"]
VIEW: Final = "view."
EXPORT: Final = "export."
_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """`person`: who did it, or to whom it was done. `venue`: what names it. Times in microseconds, the end left out."""

    person: UUID | None = None
    venue: UUID | None = None
    kind: Kind | None = None
    from_us: int | None = None
    until_us: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """`cursor`: where the older ones begin."""

    cursor: str
    at_us: int
    actor: str
    action: str
    subject: str
    details: Mapping[str, Any]

    @property
    def kind(self) -> Kind:
        if self.action.startswith(VIEW):
            return "saw"
        return "exported" if self.action.startswith(EXPORT) else "changed"


async def entries(connection: AsyncConnection, wanted: Wanted, before: str | None, limit: int) -> list[Entry]:
    """Those before a cursor. Raises Invalid for what is no cursor."""
    query = sa.select(audit).where(*_conditions(wanted))
    if before is not None:
        at_us, id_ = _position(before)
        query = query.where(sa.or_(audit.c.at_us < at_us, sa.and_(audit.c.at_us == at_us, audit.c.id < id_)))
    rows = await connection.execute(query.order_by(audit.c.at_us.desc(), audit.c.id.desc()).limit(limit))
    return [
        Entry(f"{row.at_us}.{row.id}", row.at_us, row.actor, row.action, row.subject, json.loads(row.details))
        for row in rows
    ]


async def all_entries(connection: AsyncConnection, wanted: Wanted) -> AsyncIterator[Entry]:
    """Every one, a page at a time: a long log takes no more memory than a short one."""
    before: str | None = None
    while page := await entries(connection, wanted, before, _PAGE):
        for it in page:
            yield it
        before = page[-1].cursor


def _conditions(it: Wanted) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if it.person is not None:
        found.append(sa.or_(audit.c.actor == f"person:{it.person}", audit.c.subject == f"person:{it.person}"))
    if it.venue is not None:
        # Details and addresses name a venue by its id, wherever it stands in them.
        found.append(sa.or_(audit.c.subject.contains(str(it.venue)), audit.c.details.contains(str(it.venue))))
    saw, exported = audit.c.action.startswith(VIEW), audit.c.action.startswith(EXPORT)
    if it.kind is not None:
        found.append({"saw": saw, "exported": exported, "changed": sa.not_(sa.or_(saw, exported))}[it.kind])
    if it.from_us is not None:
        found.append(audit.c.at_us >= it.from_us)
    if it.until_us is not None:
        found.append(audit.c.at_us < it.until_us)
    return found


def _position(cursor: str) -> tuple[int, UUID]:
    at_us, _, id_ = cursor.partition(".")
    try:
        return int(at_us), UUID(id_)
    except ValueError as error:
        raise Invalid("This is no place in the log.") from error
