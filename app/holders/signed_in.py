"""Who is signed in to a holder's account: its cookie, and what an endpoint asks for.

    async def me(request: Request, holder: Holder) -> ...      # else the browser is led to sign in

The cookie is none of the staff's (app/identity/cookie.py): somebody may be signed in as both, and neither opens the
other's doors. What changes anything carries the session's own token, as all forms of the house do.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.holders.accounts import LIFETIME_US, Session, find_session
from app.platform.context import context_of
from app.platform.csrf import check_token
from app.platform.errors import NotSignedIn

COOKIE = "comptoir_holder"
SIGN_IN = "/me/sign-in"


class HolderNotSignedIn(NotSignedIn):
    """Nobody is signed in to a holder's account: led to sign in there, and not among the staff."""


async def holder_of(request: Request) -> Session | None:
    """None for nobody. Raises Forbidden("form-expired")."""
    session = await find_session(context_of(request), request.cookies.get(COOKIE, ""))
    if session is not None:
        await check_token(request, session.csrf)
    return session


async def _required(request: Request) -> Session:
    session = await holder_of(request)
    if session is None:
        raise HolderNotSignedIn
    return session


Holder = Annotated[Session, Depends(_required)]


async def ask_to_sign_in(_: Request, error: Exception) -> Response:
    """Exception handler for HolderNotSignedIn."""
    assert isinstance(error, HolderNotSignedIn)  # noqa: S101 (registered for this class)
    return RedirectResponse(SIGN_IN, 303, headers={"Cache-Control": "no-store"})


def remember(request: Request, response: Response, token: str) -> None:
    response.set_cookie(
        COOKIE,
        token,
        max_age=LIFETIME_US // 1_000_000,
        path="/",
        httponly=True,
        samesite="lax",
        secure=_is_https(request),
    )


def forget(request: Request, response: Response) -> None:
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=_is_https(request))


def _is_https(request: Request) -> bool:
    # Behind a proxy that ends TLS the request itself looks like plain http; the address people type tells.
    return request.url.scheme == "https" or context_of(request).settings.base_url.startswith("https://")
