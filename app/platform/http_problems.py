"""Errors as answers: problem+json (RFC 9457) for programs, a page for browsers.

    app = FastAPI(middleware=[...], ...)      # `CatchUnexpected` among them
    install_problems(app, render_problem)

`render_problem(request, problem)` makes the page that a person sees; without it everybody gets JSON.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.platform.database_errors import database_unavailable
from app.platform.errors import DomainError, TooManyRequests, Unavailable
from app.platform.field_errors import in_plain_words
from app.platform.problem_kinds import CODE_OF_STATUS, KINDS, ProblemKind

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
DATABASE_RETRY_AFTER_S = 5

_API_PREFIX = "/api/"


@dataclass(frozen=True, slots=True)
class ProblemDetails:
    """One problem on its way out. As JSON it is an `app.wire.Problem`; `headers` go with the answer."""

    code: str
    detail: str
    extra: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> ProblemKind:
        return KINDS[self.code]

    @property
    def incident(self) -> str:
        """What to quote when asking for help: it is in the log beside the cause. Empty for foreseen problems."""
        return str(self.extra.get("incident", ""))

    def document(self) -> dict[str, Any]:
        kind = self.kind
        return {
            **self.extra,
            "type": f"/problems/{self.code}",
            "title": kind.title,
            "status": kind.status,
            "detail": self.detail or kind.title,
        }


RenderProblem = Callable[[Request, ProblemDetails], Response]


def install_problems(app: FastAPI, render_problem: RenderProblem | None = None) -> None:
    """Registers a handler for everything that is foreseen; `CatchUnexpected` takes the rest."""
    app.state.render_problem = render_problem
    app.add_exception_handler(DomainError, _domain_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_exception)
    for unreachable in (sa.exc.DBAPIError, sa.exc.TimeoutError, OSError):
        app.add_exception_handler(unreachable, _database_error)


def problem_response(request: Request, problem: ProblemDetails) -> Response:
    """The answer that tells `problem` to whoever asks: a page if it is a person with a browser, else JSON."""
    render_problem: RenderProblem | None = getattr(request.app.state, "render_problem", None)
    if render_problem is not None and wants_page(request):
        response = render_problem(request, problem)
    else:
        response = JSONResponse(problem.document(), problem.kind.status, media_type=MEDIA_TYPE)
    response.headers.update(problem.headers)
    response.headers["Cache-Control"] = "no-store"
    return response


def wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(_API_PREFIX)


def problem_of(error: DomainError) -> ProblemDetails:
    """An unknown code is a mistake of ours and is told as one, after the log has named it."""
    headers: dict[str, str] = {}
    if isinstance(error, TooManyRequests | Unavailable):
        headers["Retry-After"] = str(error.retry_after_s)
    if error.code not in KINDS:
        raise LookupError(f"no kind of problem for the code {error.code!r}: add it to problem_kinds.py") from error
    if KINDS[error.code].status == 401:
        # RFC 9110, 15.5.2: a 401 names a way to authenticate; Bearer opens no password box in a browser.
        headers["WWW-Authenticate"] = "Bearer"
    return ProblemDetails(error.code, error.detail, error.extra, headers)


async def _domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)  # noqa: S101 (registered for this class)
    return problem_response(request, problem_of(error))


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 (registered for this class)
    found = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return problem_response(request, ProblemDetails("malformed-json", "The body of the request is not valid JSON."))
    fields = in_plain_words(found)
    detail = "; ".join(f"{one['field']}: {one['message']}" for one in fields[:3])
    if len(fields) > 3:
        detail += f"; and {len(fields) - 3} more"
    return problem_response(request, ProblemDetails("invalid", f"{detail}.", {"errors": fields}))


async def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 (registered for this class)
    if error.status_code < 400:
        return Response(status_code=error.status_code, headers=error.headers)
    code = CODE_OF_STATUS.get(error.status_code, "malformed-request" if error.status_code < 500 else "unexpected")
    # Starlette's own details ("Not Found") say less than our titles do.
    return problem_response(request, ProblemDetails(code, "", headers=error.headers or {}))


async def _database_error(request: Request, error: Exception) -> Response:
    if "\\x00" in str(getattr(error, "orig", error)) or "invalid byte sequence" in str(error):
        return problem_response(request, ProblemDetails("invalid", "A text holds a sign that cannot be kept."))
    if not database_unavailable(error):
        raise error
    log.error("database unavailable", reason=f"{type(error).__name__}: {error}"[:300])
    return problem_response(
        request,
        ProblemDetails(
            "database-unavailable",
            "The accounts cannot be reached just now. No money is lost; the same request may be sent again.",
            headers={"Retry-After": str(DATABASE_RETRY_AFTER_S)},
        ),
    )


class CatchUnexpected:
    """ASGI middleware: whatever nobody foresaw becomes a 500 with an incident id, and the log has the rest."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except ClientDisconnect:
            log.info("the client left before its request was read")
        except Exception:
            incident = secrets.token_hex(6)
            log.exception("unexpected error", incident=incident)
            if started:
                raise  # half an answer is out: only closing the connection tells the client that it is not whole
            detail = f"Something went wrong on our side. If it happens again, give the reference {incident}."
            problem = ProblemDetails("unexpected", detail, {"incident": incident})
            await _answer(problem, scope, receive, send)


async def _answer(problem: ProblemDetails, scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    try:
        response = problem_response(request, problem)
    except Exception:
        # The page of a problem may fail like any other; JSON needs nothing that can.
        log.exception("the page of a problem failed", incident=problem.incident)
        response = JSONResponse(problem.document(), problem.kind.status, media_type=MEDIA_TYPE)
    await response(scope, receive, send)
