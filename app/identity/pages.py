"""Signing in and out in a browser."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from app.identity import people, service
from app.identity.cookie import COOKIE, clear_session_cookie, set_session_cookie
from app.identity.destinations import SIGN_IN, SIGN_OUT, safe_next, sign_in_first
from app.identity.guard import SignedIn
from app.identity.sign_in_limits import PER_ADDRESS, PER_LOGIN
from app.platform.context import context_of
from app.platform.errors import DomainError, NotSignedIn, TooManyRequests
from app.platform.http_problems import problem_of, problem_response, wants_page
from app.platform.limits import client_address
from app.web.pages import render, texts_of

router = APIRouter(include_in_schema=False)

_Next = Annotated[str, Query(max_length=2000)]


@router.get(SIGN_IN)
async def sign_in_page(request: Request, next: _Next = "") -> Response:
    if await service.find_session(context_of(request), request.cookies.get(COOKIE, "")):
        return RedirectResponse(safe_next(next), 303)
    return _form(request, destination=safe_next(next))


@router.post(SIGN_IN)
async def sign_in(
    request: Request,
    login: Annotated[str, Form(max_length=256)] = "",
    password: Annotated[str, Form(max_length=1024)] = "",
    next: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    texts, login, destination = texts_of(request), people.normal_login(login), safe_next(next)
    try:
        PER_ADDRESS.check(request, client_address(request))
        PER_LOGIN.check(request, login)
        opened = await service.sign_in(
            context_of(request), login, password, request.headers.get("user-agent", ""), request.cookies.get(COOKIE, "")
        )
    except TooManyRequests as error:
        problem = texts.ngettext(
            "Too many tries. Wait %(num)s second, then try again.",
            "Too many tries. Wait %(num)s seconds, then try again.",
            error.retry_after_s,
        )
        return _form(request, login, destination, problem, error)
    except NotSignedIn as error:
        problem = texts.gettext("Login or password is not right. Check both and try again.")
        return _form(request, login, destination, problem, error)
    response = RedirectResponse(destination, 303)
    set_session_cookie(request, response, opened.token)
    return response


@router.get(SIGN_OUT)
async def sign_out_page(request: Request, session: SignedIn) -> Response:
    return render(request, "identity/sign_out.html", session=session)


@router.post(SIGN_OUT)
async def sign_out(request: Request, session: SignedIn) -> Response:
    await service.sign_out(context_of(request), session)
    response = RedirectResponse(SIGN_IN, 303)
    clear_session_cookie(request, response)
    return response


async def ask_to_sign_in(request: Request, error: Exception) -> Response:
    """Exception handler for NotSignedIn: a browser that asked for a page is led to the sign-in page and back."""
    assert isinstance(error, NotSignedIn)  # noqa: S101 (registered for this class)
    if request.method == "GET" and wants_page(request):
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(sign_in_first(asked), 303, headers={"Cache-Control": "no-store"})
    return problem_response(request, problem_of(error))


def _form(
    request: Request, login: str = "", destination: str = "", problem: str = "", error: DomainError | None = None
) -> Response:
    """The sign-in page, again with what was typed (but the password) when something was not right."""
    answer = None if error is None else problem_of(error)
    return render(
        request,
        "identity/sign_in.html",
        status_code=200 if answer is None else answer.kind.status,
        headers=None if answer is None else answer.headers,
        login=login,
        next=destination,
        problem=problem,
    )
