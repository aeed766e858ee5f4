"""One's own second factor: setting it up, and giving a code of it for what moves money.

Whoever is asked for it while they send a form does not lose the form: its fields ride along on the code's page, whose
own fields begin with `second_factor_`. Once the code is right the browser sends them on to where they were going (307),
in the session's new name. Who has to set one up first is shown the recovery codes in between, and sends the form then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

import segno
from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from app.identity import authenticator, second_factor
from app.identity.cookie import set_session_cookie
from app.identity.destinations import HOME, LENGTH_MAX, safe_next
from app.identity.guard import SignedIn
from app.identity.service import names_of
from app.identity.sign_in_limits import PER_LOGIN
from app.platform.context import context_of
from app.platform.csrf import FIELD
from app.platform.errors import DomainError, Forbidden, Invalid, NotSignedIn, TooManyRequests
from app.platform.http_problems import problem_of, problem_response, wants_page
from app.web.pages import render, texts_of

router = APIRouter(include_in_schema=False)

HERE = "/second-factor"
SET_UP = HERE + "/set-up"
# What belongs to these pages, and not to the form that rides along.
OURS = "second_factor_"
_ASKED = {"second-factor-needed", "second-factor-missing"}
_FILES = "/api/"
_MINUTE_S = 60

_Next = Annotated[str, Query(max_length=LENGTH_MAX)]
_To = Annotated[str, Form(alias=OURS + "to", max_length=LENGTH_MAX)]
_Posted = Annotated[bool, Form(alias=OURS + "posted")]
_Code = Annotated[str, Form(alias=OURS + "code", max_length=40)]


@dataclass(frozen=True, slots=True)
class Riding:
    """A form that waits: `to` is where it goes. Without fields it may be one button."""

    to: str
    posted: bool = False
    fields: Sequence[tuple[str, str]] = ()


@router.get(HERE)
async def second_factor_page(request: Request, session: SignedIn, next: _Next = "") -> Response:
    to = safe_next(next)
    if second_factor.trusted_until_us(session) is None:
        return await _page(request, session, Riding(to))
    return RedirectResponse(to, 303) if next else await _state(request, session)


@router.get(SET_UP)
async def set_up_page(request: Request, session: SignedIn) -> Response:
    """For the first one, and for another in its place: that asks for a code of the old one first."""
    if session.enrolled and second_factor.trusted_until_us(session) is None:
        return RedirectResponse(f"{HERE}?next={SET_UP}", 303)
    return await _page(request, session, Riding(HERE), setting_up=True)


@router.post(HERE)
async def give_code(
    request: Request, session: SignedIn, code: _Code = "", to: _To = "", posted: _Posted = False
) -> Response:
    riding = await _riding(request, to, posted)
    try:
        second_factor.PER_PERSON.check(request, str(session.person))
        renewed = await second_factor.confirm(context_of(request), session, code)
    except (Invalid, TooManyRequests) as error:
        return await _page(request, session, riding, error=error)
    if not posted and riding.to.startswith(_FILES):
        response = await _state(request, session, file=riding.to)
        set_session_cookie(request, response, renewed.token)
        return response
    # 307: the browser sends the same fields once more, to the address that they were for.
    response = RedirectResponse(riding.to, 307 if posted else 303, headers={"Cache-Control": "no-store"})
    set_session_cookie(request, response, renewed.token)
    return response


@router.post(SET_UP)
async def enrol_from_page(
    request: Request,
    session: SignedIn,
    secret: Annotated[str, Form(alias=OURS + "secret", min_length=32, max_length=32, pattern="^[A-Z2-7]+$")],
    password: Annotated[str, Form(alias=OURS + "password", max_length=1024)] = "",
    code: _Code = "",
    to: _To = "",
    posted: _Posted = False,
) -> Response:
    riding = await _riding(request, to, posted)
    try:
        second_factor.PER_PERSON.check(request, str(session.person))
        PER_LOGIN.check(request, session.login)
        codes, renewed = await second_factor.enrol(context_of(request), session, password, secret, code)
    except (Invalid, NotSignedIn, TooManyRequests) as error:
        return await _page(request, session, riding, setting_up=True, secret=secret, error=error)
    response = render(
        request,
        "identity/second_factor_codes.html",
        headers={"Cache-Control": "no-store"},
        session=session,
        codes=codes,
        riding=riding,
    )
    set_session_cookie(request, response, renewed.token)
    return response


async def ask_second_factor(request: Request, error: Exception) -> Response:
    """Exception handler for Forbidden: whoever only lacks a code is asked for it, and then led on."""
    assert isinstance(error, Forbidden)  # noqa: S101 (registered for this class)
    asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    # A page's link to a file of the API is followed by a browser too.
    browses = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    if error.code not in _ASKED or not (browses or wants_page(request)) or safe_next(asked) != asked:
        return problem_response(request, problem_of(error))
    if browses:
        return RedirectResponse(f"{HERE}?next={quote(asked, safe='/')}", 303, headers={"Cache-Control": "no-store"})
    return await _page(request, request.state.session, await _riding(request, asked, posted=True), error=error)


async def _riding(request: Request, to: str, posted: bool) -> Riding:
    """The form that waits, if one does. Files are none of its fields: no guarded act takes one."""
    # Starlette keeps the form that the guard has read for its token.
    sent = (await request.form()).multi_items()
    fields = [(name, it) for name, it in sent if isinstance(it, str) and not name.startswith(OURS) and name != FIELD]
    return Riding(safe_next(to), posted, fields)


async def _page(
    request: Request,
    session: SignedIn,
    riding: Riding,
    *,
    setting_up: bool = False,
    secret: str = "",
    error: DomainError | None = None,
) -> Response:
    answer = None if error is None else problem_of(error)
    context = context_of(request)
    async with context.reader.connect() as connection:
        factor = await second_factor.of_person(connection, session.person)
        reset = await second_factor.last_reset(connection, session.person)
        by = {} if reset is None else await names_of(connection, [reset.actor])
    setting_up = setting_up or factor is None
    secret = secret or authenticator.new_secret()
    return render(
        request,
        "identity/second_factor_set_up.html" if setting_up else "identity/second_factor_code.html",
        status_code=200 if answer is None else answer.kind.status,
        headers={"Cache-Control": "no-store", **({} if answer is None else answer.headers)},
        session=session,
        factor=factor,
        reset_by="" if reset is None else by.get(reset.actor, ""),
        secret=secret,
        grouped=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        drawn=_drawn(authenticator.address(secret, session.login)) if setting_up else "",
        riding=riding,
        home=HOME,
        asked=error is not None and error.code in _ASKED,
        problem="" if error is None else _said(request, error),
        wrong_password=isinstance(error, NotSignedIn),
    )


async def _state(request: Request, session: SignedIn, file: str = "") -> Response:
    """`file`: what they came for; a browser that is sent to a file would stay on the page of the used code."""
    async with context_of(request).reader.connect() as connection:
        factor = await second_factor.of_person(connection, session.person)
    return render(request, "identity/second_factor_state.html", session=session, factor=factor, home=HOME, file=file)


def _said(request: Request, error: DomainError) -> str:
    texts = texts_of(request)
    if isinstance(error, TooManyRequests) and error.retry_after_s > _MINUTE_S:
        return texts.ngettext(
            "Too many tries. Wait %(num)s minute, then try again.",
            "Too many tries. Wait %(num)s minutes, then try again.",
            -(-error.retry_after_s // _MINUTE_S),
        )
    if isinstance(error, TooManyRequests):
        return texts.ngettext(
            "Too many tries. Wait %(num)s second, then try again.",
            "Too many tries. Wait %(num)s seconds, then try again.",
            error.retry_after_s,
        )
    if isinstance(error, NotSignedIn):
        return texts.gettext("This is not your password.")
    if isinstance(error, Invalid):
        return texts.gettext("This code is not right, or was used already. Wait for the next one.")
    return ""


def _drawn(address: str) -> str:
    """The QR code as an SVG element."""
    return segno.make(address, error="m").svg_inline(border=4, light="#fff", omitsize=True)
