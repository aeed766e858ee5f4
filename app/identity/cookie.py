"""The cookie that carries a session's token."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from app.platform.context import context_of

COOKIE = "comptoir_session"


def set_session_cookie(request: Request, response: Response, token: str) -> None:
    """Without Max-Age: it leaves with the browser, and the server ends the session in any case."""
    response.set_cookie(COOKIE, token, path="/", httponly=True, samesite="lax", secure=_is_https(request))


def clear_session_cookie(request: Request, response: Response) -> None:
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax", secure=_is_https(request))


def _is_https(request: Request) -> bool:
    # Behind a proxy that ends TLS the request itself looks like plain http; the address people type tells.
    return request.url.scheme == "https" or context_of(request).settings.base_url.startswith("https://")
