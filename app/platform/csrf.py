"""Requests that another website makes a visitor's browser send, carrying the visitor's cookie.

Two fences. `SameOrigin` refuses whatever a browser says comes from elsewhere. Behind it, the guard of app.identity
asks for the session's own token in everything that a cookie authenticates: the form field `csrf_token`, or the header
`X-CSRF-Token`.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.platform.errors import Forbidden
from app.platform.http_problems import ProblemDetails, problem_response

FIELD = "csrf_token"
HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

_FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


class SameOrigin:
    """ASGI middleware: what may change something comes from our own pages, or from no browser at all.

    `base_url` is the address people type, for servers behind a proxy that rewrites Host. `token_paths` are prefixes of
    addresses that are secrets themselves: their pages send no referrer, so their forms come with `Origin: null`.
    """

    def __init__(self, app: ASGIApp, base_url: str, token_paths: Sequence[str] = ()) -> None:
        self._app = app
        self._origin = origin_of(base_url)
        self._token_paths = tuple(token_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS or self._allows(scope):
            await self._app(scope, receive, send)
            return
        problem = ProblemDetails("cross-site", "A browser sent this from another website; nothing was done.")
        await problem_response(Request(scope, receive), problem)(scope, receive, send)

    def _allows(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        if headers.get("authorization", "").lower().startswith("bearer "):
            return True  # no website can make a browser add this header without our consent (CORS)
        if (site := headers.get("sec-fetch-site")) is not None:
            return site in {"same-origin", "none"}
        # Browsers leave Sec-Fetch-Site out on plain http, except to this same machine.
        origin = headers.get("origin")
        if origin is None:
            return True  # not a browser: these send one of the two headers with everything that is not safe
        if origin == "null":
            return bool(scope["path"].startswith(self._token_paths))
        return origin in {self._origin, origin_of(f"{scope['scheme']}://{headers.get('host', '')}")}


def origin_of(url: str) -> str:
    """Scheme, host and port of `url` as browsers write them in Origin: the usual port is left out."""
    parts = urlsplit(url)
    host, _, port = parts.netloc.rpartition("@")[2].lower().partition(":")
    usual = {"http": "80", "https": "443"}.get(parts.scheme)
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != usual else "")


async def check_token(request: Request, expected: str) -> None:
    """Raises Forbidden ("form-expired") unless the request carries the session's token. Safe methods need none."""
    if request.method in SAFE_METHODS:
        return
    sent = request.headers.get(HEADER)
    if sent is None and request.headers.get("content-type", "").startswith(_FORM_TYPES):
        # Starlette keeps the parsed form on the request, so the endpoint reads the same one.
        field = (await request.form()).get(FIELD)
        sent = field if isinstance(field, str) else None
    if sent is None or not hmac.compare_digest(sent.encode(), expected.encode()):
        await request.close()  # no endpoint will: uploaded files would stay open
        raise Forbidden("The form's or request's protection token is missing or old.", "form-expired")
