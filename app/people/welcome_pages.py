"""The page behind a link: somebody chooses their password, and learns their PIN."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from app.identity import invitations
from app.identity.sign_in_limits import PER_ADDRESS
from app.platform.context import context_of
from app.platform.errors import Invalid
from app.platform.limits import client_address
from app.web import texts_of
from app.web.pages import render

router = APIRouter(include_in_schema=False)

_SECRET = {"Cache-Control": "no-store"}


@router.get("/welcome/{token}")
async def welcome_page(request: Request, token: str) -> Response:
    async with context_of(request).reader.connect() as connection:
        who = await invitations.invited(connection, token)
    return render(request, "people/welcome.html", headers=_SECRET, who=who, problem="", pin=None, done=False)


@router.post("/welcome/{token}")
async def choose_password(
    request: Request,
    token: str,
    password: Annotated[str, Form(max_length=1024)] = "",
    again: Annotated[str, Form(max_length=1024)] = "",
) -> Response:
    PER_ADDRESS.check(request, client_address(request))
    context, texts, problem = context_of(request), texts_of(request), ""
    if password != again:
        problem = texts.gettext("The two are not the same. Type the password twice.")
    else:
        try:
            who, pin = await invitations.accept(context, token, password)
        except Invalid:
            problem = texts.gettext("A password has at least 10 characters: a few words are easy to keep in mind.")
        else:
            return render(request, "people/welcome.html", headers=_SECRET, who=who, problem="", pin=pin, done=True)
    async with context.reader.connect() as connection:
        who = await invitations.invited(connection, token)
    return render(
        request, "people/welcome.html", status_code=422, headers=_SECRET, who=who, problem=problem, pin=None, done=False
    )
