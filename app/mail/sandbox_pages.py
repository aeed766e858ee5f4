"""The sandbox's mailbox: what would have been sent, for demonstrations. Mounted only with that carrier."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from app.mail.tables import sandbox_mail
from app.platform.context import context_of
from app.platform.errors import NotFound
from app.web import render

router = APIRouter(include_in_schema=False)

SHOWN_MAX = 50


@router.get("/sandbox/mail")
async def sandbox_mailbox(request: Request) -> Response:
    async with context_of(request).reader.connect() as connection:
        query = sa.select(sandbox_mail).order_by(sandbox_mail.c.at_us.desc()).limit(SHOWN_MAX)
        rows = (await connection.execute(query)).all()
    return render(request, "mail/sandbox.html", rows=rows)


@router.get("/sandbox/mail/{id}")
async def sandbox_message(request: Request, id: UUID) -> Response:
    """A message's HTML part, as it was written."""
    async with context_of(request).reader.connect() as connection:
        html = (await connection.execute(sa.select(sandbox_mail.c.html).where(sandbox_mail.c.id == id))).scalar()
    if html is None:
        raise NotFound("There is no such message.")
    return HTMLResponse(html)
