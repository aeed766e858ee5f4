"""Where am I signed in? One's own sessions, and ending them."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from app.identity import second_factor, service
from app.identity.admin_frame import render_admin
from app.identity.guard import SignedIn
from app.people.devices import device
from app.platform.context import context_of
from app.venues.service import the_network
from app.web import texts_of

router = APIRouter(include_in_schema=False)

HERE = "/admin/sessions"
PASSWORD = HERE + "/password"
# Told where the browser is sent after a change.
CHANGED = "changed"


@router.get(HERE)
async def sessions_page(
    request: Request, session: SignedIn, changed: Annotated[Literal["", "yes"], Query(alias=CHANGED)] = ""
) -> Response:
    context, texts = context_of(request), texts_of(request)
    async with context.reader.connect() as connection:
        network, factor = await the_network(connection), await second_factor.of_person(connection, session.person)
    open_ = await service.list_sessions(context, session.person)
    return render_admin(
        request,
        session,
        "people/sessions.html",
        place=HERE,
        network_name=network.name,
        zone=network.settings.zone,
        here=HERE,
        password_url=PASSWORD,
        changed=changed == "yes",
        factor=factor,
        trusted_until_us=second_factor.trusted_until_us(session),
        sessions=[(it, device(it.user_agent, texts)) for it in open_],
    )


@router.post(HERE + "/end")
async def end_session_from_page(
    request: Request, session: SignedIn, id: Annotated[str, Form(max_length=64)]
) -> Response:
    await service.revoke_session(context_of(request), session, id)
    return RedirectResponse(HERE, 303)


@router.post(HERE + "/end-others")
async def end_others_from_page(request: Request, session: SignedIn) -> Response:
    await service.end_other_sessions(context_of(request), session)
    return RedirectResponse(HERE, 303)
