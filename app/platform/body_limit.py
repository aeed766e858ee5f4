"""No request may fill the memory: bodies are counted as they arrive, whatever they claim about their length."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.platform.http_problems import ProblemDetails, problem_response


class BodyLimit:
    """ASGI middleware: a body over `limit_bytes` is refused with 413, before or while it is read. `larger`: other
    limits by what an address begins with, for pages that take pictures."""

    def __init__(self, app: ASGIApp, limit_bytes: int, larger: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._limit_bytes = limit_bytes
        self._larger = larger or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(scope["path"])
        if (announced := announced_bytes(scope)) is not None and announced > limit:
            problem = ProblemDetails("body-too-large", _detail(limit), headers={"Connection": "close"})
            await problem_response(Request(scope), problem)(scope, receive, send)
            return
        received_bytes = 0

        async def receive_and_count() -> Message:
            nonlocal received_bytes
            message = await receive()
            received_bytes += len(message.get("body", b""))
            if received_bytes > limit:
                # FastAPI turns any other exception met while it reads a body into a plain 400.
                raise HTTPException(413, _detail(limit), {"Connection": "close"})
            return message

        await self._app(scope, receive_and_count, send)

    def _limit_of(self, path: str) -> int:
        return next((it for beginning, it in self._larger.items() if path.startswith(beginning)), self._limit_bytes)


def _detail(limit_bytes: int) -> str:
    return f"A request may have at most {limit_bytes} bytes."


def announced_bytes(scope: Scope) -> int | None:
    """What the request says of its length; None where it says nothing of use."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return None
