"""The till session's commands and reports as the staff screen asks for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, Field, StringConstraints, ValidationError
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.rules.takings import CashReason
from app.wire.base import Message
from app.wire.till import Pieces
from readers.kiosk.languages import COOKIE, Language, language_of
from readers.kiosk.problems import malformed, refused_by_till
from readers.terminal.commands import CashDirection, Till, TillError

Body = TypeVar("Body", bound=BaseModel)


class Counted(Message):
    """Numbers of coins and notes by their value in euro cents."""

    pieces: Pieces


class Moved(Message):
    direction: CashDirection
    reason: CashReason
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    cents: Annotated[int, Field(ge=1, le=10**9, strict=True)]


class Close(Message):
    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""


class Report(Message):
    which: Literal["now", "closed", "last"]


def routes(till: Till, language_default: Language) -> list[Route]:
    def language(request: Request) -> Language:
        return language_of(request.headers.get("accept-language"), request.cookies.get(COOKIE), language_default)

    def command(model: type[Body], carry_out: Callable[[Body, Language], Awaitable[object]]) -> Callable[..., object]:
        async def handle(request: Request) -> Response:
            try:
                body = model.model_validate_json(await request.body())
            except ValidationError as error:
                return malformed(error)
            try:
                answer = await carry_out(body, language(request))
            except TillError as error:
                return refused_by_till(error)
            return Response(to_json({} if answer is None else answer), media_type="application/json")

        return handle

    async def close(body: Close, _: Language) -> dict[str, int]:
        return {"number": await session.close(body.reason)}

    session = till.session
    handlers = {
        "open": command(Counted, lambda body, _: session.open(body.pieces)),
        "move": command(Moved, lambda body, _: session.move(body.direction, body.reason, body.note, body.cents)),
        "count": command(Counted, lambda body, _: session.count(body.pieces)),
        "close": command(Close, close),
        "report": command(Report, lambda body, language: session.report(body.which, language)),
        "print": command(Report, lambda body, language: session.print_report(body.which, language)),
    }
    return [Route(f"/api/session/{name}", handler, methods=["POST"]) for name, handler in handlers.items()]
