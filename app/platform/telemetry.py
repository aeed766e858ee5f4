"""Logs for machines (JSON) and people (on a terminal), and one line for each request.

No secrets: no query strings, no bodies, no headers, and a card's token in a path is masked. Values of SQL parameters
stay out because `hide_parameters` is on in app/platform/database.py.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import time
from collections.abc import Mapping, MutableMapping
from typing import Any, Self, TextIO

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger(__name__)
_requests = logging.getLogger(__name__)
# Where a request's id is kept on its way.
_ID = "comptoir.request_id"

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
# Whoever knows what follows /c/ may look at that card.
_SECRET_SEGMENT = re.compile(r"(?<=/c/)[^/]+")
_PATH_LENGTH_MAX = 200


class _Handler(logging.StreamHandler[TextIO]):
    """Ours, to be replaced when logging is configured again."""


def configure_logging(level: str = "info", stream: TextIO | None = None) -> None:
    """Sends all logs, those of libraries too, to `stream` (standard error): as JSON unless it is a terminal."""
    stream = sys.stderr if stream is None else stream
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Tracebacks are plain text in both: the richer ones carry the values of local variables into the log.
    if stream.isatty():
        plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        renderers: list[structlog.types.Processor] = [plain]
    else:
        renderers = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
    )
    handler = _Handler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    for earlier in [each for each in root.handlers if isinstance(each, _Handler)]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    root.setLevel(level.upper())
    # It would tell each address that we ask, and those of webhooks may be secrets.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=False,
    )


class RequestLine:
    """The log line of one request, and the id that all lines of that request bear.

    `status`: of the answer; 0: none was begun; None: somebody else tells of it.
    """

    __slots__ = ("_began_ns", "_bound", "_id", "_scope", "status")

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self._id = scope.setdefault(_ID, "") or _request_id(scope)
        scope[_ID] = self._id
        self.status: int | None = 0

    @property
    def header(self) -> tuple[bytes, bytes]:
        return (b"x-request-id", self._id.encode())

    def __enter__(self) -> Self:
        self._bound = structlog.contextvars.bind_contextvars(request_id=self._id)
        self._began_ns = time.perf_counter_ns()
        return self

    def __exit__(self, *_: object) -> None:
        # Asked first: to put a line together that nobody writes down costs as much as a tenth of a sale.
        if self.status is not None and _requests.isEnabledFor(logging.INFO):
            log.info(
                "request",
                method=self._scope["method"],
                route=route_of(self._scope),
                status=self.status,
                duration_ms=round((time.perf_counter_ns() - self._began_ns) / 1e6, 2),
            )
        structlog.contextvars.reset_contextvars(**self._bound)


class RequestLog:
    """ASGI middleware: a request id in every log line and in the answer, and one log line for the request.

    An X-Request-ID that a proxy sends is kept if it looks like one; anything else could forge log lines.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_and_note(message: Message) -> None:
            if message["type"] == "http.response.start":
                line.status = message["status"]
                message["headers"] = [*message["headers"], line.header]
            await send(message)

        with RequestLine(scope) as line:
            await self._app(scope, receive, send_and_note)


def route_of(scope: Mapping[str, Any] | MutableMapping[str, Any]) -> str:
    """The route's template if FastAPI found one, else the path without secrets."""
    template = getattr(scope.get("route"), "path", None)
    return template if isinstance(template, str) else masked_path(scope["path"])


def masked_path(path: str) -> str:
    return _SECRET_SEGMENT.sub("…", path)[:_PATH_LENGTH_MAX]


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(sent := value.decode("latin-1")):
            return str(sent)
    return os.urandom(16).hex()
