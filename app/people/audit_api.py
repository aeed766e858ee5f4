"""The audit log, for programs of those who may read it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from app.identity import audit_log
from app.identity.audit_log import Kind, Wanted
from app.platform.context import context_of
from app.venues.service import venue_named

router = APIRouter(prefix="/api/v1", tags=["identity"])

LARGEST = 2**63 - 1

Moment = Annotated[int | None, Query(ge=0, le=LARGEST)]


class AuditEntry(BaseModel):
    """`actor`: "person:<id>", "terminal:<id>", "server" or "command line". `action` is stable; what it was done to is
    `subject`: "person:<id>", "venue:<id>" and the like, or the address that was looked at."""

    at_us: int
    kind: Kind
    actor: str
    action: str
    subject: str
    details: dict[str, Any]


class AuditShown(BaseModel):
    """`next`: the `cursor` of the following page; null on the last one."""

    entries: list[AuditEntry]
    next: str | None


@router.get("/audit", summary="Who saw, exported or changed what, the newest first")
async def list_audit(
    request: Request,
    person: Annotated[UUID | None, Query(description="who did it, or whom it is about")] = None,
    venue: Annotated[UUID | None, Query(description="what names this venue")] = None,
    kind: Kind | None = None,
    from_us: Moment = None,
    until_us: Moment = None,
    cursor: Annotated[str | None, Query(max_length=60, description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="rows on a page")] = 100,
) -> AuditShown:
    """Reading it is written down too. Rows that arrive meanwhile shift nothing."""
    async with context_of(request).reader.connect() as connection:
        at = None if venue is None else await venue_named(connection, venue)
        wanted = Wanted(person, () if at is None else (str(at.id), at.slug), kind, from_us, until_us)
        found = await audit_log.entries(connection, wanted, cursor, limit + 1)
    page = found[:limit]
    return AuditShown(
        entries=[
            AuditEntry(
                at_us=it.at_us,
                kind=it.kind,
                actor=it.actor,
                action=it.action,
                subject=it.subject,
                details=dict(it.details),
            )
            for it in page
        ],
        next=page[-1].cursor if len(found) > limit else None,
    )
