"""The fleet of terminals: how each is, and the codes that pair new ones."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from app.identity.admin_frame import render_admin
from app.identity.audit import audit
from app.identity.guard import Caller, SignedIn
from app.identity.roles import Principal
from app.platform.context import context_of
from app.platform.errors import Invalid, NotFound
from app.terminals import service
from app.venues.service import the_network, venues

router = APIRouter(include_in_schema=False)

HERE = "/admin/terminals"


@router.get(HERE)
async def terminals_page(request: Request, caller: Caller, session: SignedIn) -> Response:
    return await _page(request, caller, session)


@router.post(HERE)
async def new_pairing_code(
    request: Request,
    caller: Caller,
    session: SignedIn,
    venue: Annotated[UUID, Form()],
    name: Annotated[str, Form(max_length=60)] = "",
    terminal: Annotated[UUID | None, Form()] = None,
) -> Response:
    """A code, shown this once. With `terminal` it pairs that one again instead of adding one."""
    caller.require_venue(venue)
    async with context_of(request).engine.begin() as connection:
        if terminal is not None:
            known = await service.terminal_named(connection, terminal)
            if known.venue != venue:
                raise NotFound("There is no such terminal at this venue.")
            name = known.name
        if not name.strip():
            raise Invalid("Name the terminal, such as the bar it stands at.")
        code = await service.make_pairing_code(connection, venue, name.strip(), terminal)
        await audit(connection, session.principal.actor, "terminal.pairing_code", f"venue:{venue}", name=name.strip())
    return await _page(request, caller, session, code, name.strip())


async def _page(request: Request, caller: Principal, session: SignedIn, code: str = "", named: str = "") -> Response:
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
        at = {id_: it for id_, it in (await venues(connection)).items() if caller.may_see_venue(id_)}
        rows = [row for row in await service.terminals(connection) if row.venue in at]
    return render_admin(
        request,
        session,
        "terminals/fleet.html",
        place=HERE,
        headers={"Cache-Control": "no-store"} if code else None,
        network_name=network.name,
        venues=list(at.values()),
        fleet=[(at[row.venue], row) for row in rows],
        code=code,
        named=named,
        lives_minutes=service.CODE_LIFETIME_US // 60_000_000,
        server_url=context_of(request).settings.base_url,
    )
