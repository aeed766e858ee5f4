"""Answers that everybody may read: kept for a short while, and not sent again to whoever has them."""

from __future__ import annotations

import hashlib
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

# A change is seen within a minute; a cache between us and many readers takes the rest.
KEPT_S: Final = 60
_KEPT: Final = f"max-age={KEPT_S}, stale-while-revalidate=300"


def public(request: Request, answer: Response) -> Response:
    """With how long it may be kept, and its mark; 304 to whoever has it as it is."""
    # Who chose a language gets a cookie, which is theirs alone.
    whose = "private" if "set-cookie" in answer.headers else "public"
    answer.headers["Cache-Control"] = f"{whose}, {_KEPT}"
    mark = f'W/"{hashlib.sha256(bytes(answer.body)).hexdigest()[:24]}"'
    answer.headers["ETag"] = mark
    if mark not in {it.strip() for it in request.headers.get("if-none-match", "").split(",")}:
        return answer
    kept = {name: answer.headers[name] for name in ("Cache-Control", "ETag", "Vary") if name in answer.headers}
    return Response(status_code=304, headers=kept)
