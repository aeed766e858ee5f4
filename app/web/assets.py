"""Static files, served by us and by nobody else, with addresses that change when their content does."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"

# One year, the longest that RFC 9111 caches are asked to honour; an address with a content hash never changes meaning.
_FOREVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "public, no-cache"


@cache
def version(name: str) -> str:
    """The content hash of a file under static/, 12 hex digits; FileNotFoundError when there is none."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


def static_url(name: str) -> str:
    """The address of a file under static/: static_url("base.css") is "/static/base.css?v=..."."""
    return f"/static/{name}?v={version(name)}"


class _HashedFiles(StaticFiles):
    """Caches for good what was asked for by its present hash; everything else is asked for again, mostly unchanged."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("v", [""])[0]
        # A page from before an update asks by an old hash: what it gets now must not be kept under that address.
        current = response.status_code in {200, 304} and asked != "" and asked == version(path)
        response.headers["Cache-Control"] = _FOREVER if current else _ASK_AGAIN
        return response


def static_app() -> StaticFiles:
    """The application to mount at /static."""
    return _HashedFiles(directory=STATIC)
