"""Reading the audit log: who saw, changed or exported what, the newest first."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity.tables import audit, audit_mention
from app.platform.errors import Invalid

Kind = Literal["saw", "exported", "changed"]
VIEW: Final = "view."
EXPORT: Final = "export."
_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """`person`: who did it, or whom it is about. `venue`: by what it is named, its id and its short name; none of them:
    any. Times in microseconds, the end left out."""

    person: UUID | None = None
    venue: Collection[str] = ()
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
    named = [words for words in ([str(wanted.person)] if wanted.person else [], list(wanted.venue)) if words]
    query = sa.select(audit)
    at_us: sa.ColumnElement[int] = audit.c.at_us
    id_: sa.ColumnElement[UUID] = audit.c.id
    for number, words in enumerate(named):
        # Led by what names it: a rare name is found at once in a long log.
        found = sa.select(audit_mention.c.at_us, audit_mention.c.entry).where(audit_mention.c.word.in_(words))
        mention = found.distinct().subquery(f"mention_{number}")
        query = query.join(mention, mention.c.entry == audit.c.id)
        at_us, id_ = mention.c.at_us, mention.c.entry
    query = query.where(*_conditions(wanted, at_us))
    if before is not None:
        since_us, since = _position(before)
        query = query.where(sa.or_(at_us < since_us, sa.and_(at_us == since_us, id_ < since)))
    rows = await connection.execute(query.order_by(at_us.desc(), id_.desc()).limit(limit))
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


def _conditions(it: Wanted, at_us: sa.ColumnElement[int]) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    saw, exported = audit.c.action.startswith(VIEW), audit.c.action.startswith(EXPORT)
    if it.kind is not None:
        found.append({"saw": saw, "exported": exported, "changed": sa.not_(sa.or_(saw, exported))}[it.kind])
    if it.from_us is not None:
        found.append(at_us >= it.from_us)
    if it.until_us is not None:
        found.append(at_us < it.until_us)
    return found


def _position(cursor: str) -> tuple[int, UUID]:
    at_us, _, id_ = cursor.partition(".")
    try:
        found = int(at_us), UUID(id_)
    except ValueError as error:
        raise Invalid("This is no place in the log.") from error
    if not 0 <= found[0] < 2**63:
        raise Invalid("This is no place in the log.")
    return found
