"""Headers that keep pages to themselves: nothing from elsewhere, nothing inline, no frames, no leaking addresses."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send


def content_security_policy(form_targets: Sequence[str] = (), framed_by: str = "'none'") -> str:
    """The policy of every response. `form_targets`: origins that a form may end at, such as a payment provider's page.
    `framed_by`: who may show it inside a page of theirs.

    Browsers apply form-action to redirects after a post too, so a provider that we redirect to must be named.
    """
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            " ".join(["form-action 'self'", *form_targets]),
            "base-uri 'none'",
            f"frame-ancestors {framed_by}",
        ]
    )


def security_headers(
    referrer: str, form_targets: Sequence[str] = (), *, framed: bool = False
) -> list[tuple[bytes, bytes]]:
    """Every header that a response should have, as they go over the wire. `framed`: any page may show it inside."""
    headers = {
        "Content-Security-Policy": content_security_policy(form_targets, "*" if framed else "'none'"),
        "X-Content-Type-Options": "nosniff",
        **({} if framed else {"X-Frame-Options": "DENY"}),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
        "Referrer-Policy": referrer,
    }
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


class SecurityHeaders:
    """ASGI middleware that adds the headers a response does not set itself.

    `secret_paths` are prefixes of addresses that let in whoever knows them (a card's page): those send no referrer
    at all. A browser then also sends `Origin: null` with their forms, so a check of Origin must let these through to
    the check of their token. `framed_paths` are addresses of pages without forms, made to be shown inside others'.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        secret_paths: Sequence[str] = (),
        form_targets: Sequence[str] = (),
        framed_paths: Sequence[str] = (),
    ) -> None:
        self._app = app
        self._framed_paths = frozenset(framed_paths)
        self._framed = security_headers("same-origin", framed=True)
        self._secret_paths = tuple(secret_paths)
        # As they go over the wire, for this is done to every answer.
        self._headers = {
            referrer: security_headers(referrer, form_targets) for referrer in ("no-referrer", "same-origin")
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        secret = bool(self._secret_paths) and scope["path"].startswith(self._secret_paths)
        ours = self._headers["no-referrer" if secret else "same-origin"]
        if scope["path"] in self._framed_paths:
            ours = self._framed

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = message["headers"]
                named = {name for name, _ in own}
                message["headers"] = [*own, *(it for it in ours if it[0] not in named)]
            await send(message)

        await self._app(scope, receive, send_with_headers)
