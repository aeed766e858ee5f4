"""What stands between the till and the web pages that share its device.

The screen listens on loopback, but any page open in a browser on the device can send requests there. Three checks keep
such pages from selling: the `Host` must be ours (a name that was rebound to 127.0.0.1 is not; Starlette's
TrustedHostMiddleware sees to it), a command must be JSON (so a page from elsewhere would need a preflight, which is
never granted), and where the browser says where a command comes from, it must come from this very page.
"""

from __future__ import annotations

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from readers.kiosk.problems import problem

# A basket of 200 lines is about 16 kB.
BODY_BYTES_MAX: Final = 64 * 1024

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """Pure ASGI: refuses commands from elsewhere and bodies that are too large; adds the security headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-cache")
            await send(message)

        headers = Headers(scope=scope)
        if scope["method"] not in {"GET", "HEAD"}:
            if not from_this_page(headers):
                refusal = problem(
                    403, "cross-origin", "Commands come from the staff screen only", reason="cross_origin"
                )
                await refusal(scope, receive, send_with_headers)
                return
            if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
                refusal = problem(415, "not-json", "A command is application/json", reason="malformed")
                await refusal(scope, receive, send_with_headers)
                return
        body = await whole_body(receive)
        if body is None:
            refusal = problem(413, "too-large", f"A body has at most {BODY_BYTES_MAX} bytes", reason="malformed")
            await refusal(scope, receive, send_with_headers)
            return
        await self.app(scope, replay(body, receive), send_with_headers)


def from_this_page(headers: Headers) -> bool:
    """Does this command come from our page, or from a program that is no browser?

    Browsers of today send Sec-Fetch-Site, older ones Origin with every POST. A program on the device sends neither, and
    needs no page to do harm; it is let through.
    """
    if site := headers.get("sec-fetch-site"):
        return site == "same-origin"
    if origin := headers.get("origin"):
        return origin.lower() == f"http://{headers.get('host', '')}".lower()
    return True


async def whole_body(receive: Receive) -> bytes | None:
    """The request's body, counted as it comes in (a Content-Length may lie); None when it is too large."""
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return body
        chunk: bytes = message.get("body", b"")
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            return None
        if not message.get("more_body", False):
            return body


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the whole body once, then what the connection says next (its end)."""
    waiting = [body]

    async def receive_again() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return receive_again
