"""Changing one's own password: the present one is asked for, and every other session ends."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.identity import service
from app.identity.admin_frame import render_admin
from app.identity.guard import SignedIn
from app.identity.sign_in_limits import PER_LOGIN
from app.people.session_pages import CHANGED, PASSWORD
from app.people.session_pages import HERE as SESSIONS
from app.platform.context import context_of
from app.platform.errors import Invalid, NotSignedIn
from app.venues.service import the_network
from app.web import N_, texts_of

router = APIRouter(include_in_schema=False)

_NOT_YOURS = N_("This is not your password.")
_TOO_SHORT = N_("A password has at least 10 characters: a few words are easy to keep in mind.")
_NOT_THE_SAME = N_("The two are not the same. Type the password twice.")

Typed = Annotated[str, Form(max_length=1024)]


@router.get(PASSWORD)
async def password_page(request: Request, session: SignedIn) -> Response:
    return await _page(request, session, {})


@router.post(PASSWORD)
async def change_password_from_page(
    request: Request, session: SignedIn, current: Typed = "", new: Typed = "", again: Typed = ""
) -> Response:
    if new != again:
        return await _page(request, session, {"again": _NOT_THE_SAME})
    PER_LOGIN.check(request, session.login)
    try:
        await service.change_password(context_of(request), session, current, new)
    except NotSignedIn:
        return await _page(request, session, {"current": _NOT_YOURS})
    except Invalid:
        return await _page(request, session, {"new": _TOO_SHORT})
    return RedirectResponse(f"{SESSIONS}?{CHANGED}=yes", 303)


async def _page(request: Request, session: SignedIn, problems: dict[str, str]) -> Response:
    """What was typed is not shown again: it is no text."""
    texts = texts_of(request)
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
    return render_admin(
        request,
        session,
        "people/password.html",
        place=SESSIONS,
        status_code=422 if problems else 200,
        network_name=network.name,
        here=PASSWORD,
        back=SESSIONS,
        problems={field: texts.gettext(said) for field, said in problems.items()},
    )
