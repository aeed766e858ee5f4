"""The door of an event: a page of its own, which a scanner types into."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, ValidationError
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.wire.base import Message
from readers.kiosk.problems import malformed, refused_by_till
from readers.terminal.commands import Till, TillError

Page = Callable[[Request], Awaitable[Response]]


class Open(Message):
    event: UUID | None = None


class Turn(Message):
    direction: Literal["in", "out"]


class Code(Message):
    code: Annotated[str, Field(min_length=1, max_length=400)]


class Chosen(Message):
    ticket: UUID


class More(Message):
    count: Annotated[int, Field(ge=1, le=100, strict=True)]


def routes(till: Till, page: Page) -> list[Route]:
    async def listed(request: Request) -> Response:
        """Tickets that fit `q`: a part of a name, or a number."""
        try:
            found = till.door.listed(request.query_params.get("q", "")[:100])
        except TillError as error:
            return refused_by_till(error)
        return Response(to_json(found), media_type="application/json")

    async def command(request: Request) -> Response:
        text, door = await request.body(), till.door
        try:
            match request.path_params["command"]:
                case "open":
                    door.open(Open.model_validate_json(text).event)
                case "close":
                    door.close()
                case "turn":
                    door.turn(Turn.model_validate_json(text).direction)
                case "code":
                    await door.code(Code.model_validate_json(text).code)
                case "ticket":
                    await door.ticket(Chosen.model_validate_json(text).ticket)
                case "more":
                    await door.more(More.model_validate_json(text).count)
                case "anyway":
                    await door.anyway()
                case "dismiss":
                    door.dismiss()
                case _:
                    return Response(status_code=404)
        except ValidationError as error:
            return malformed(error)
        except TillError as error:
            return refused_by_till(error)
        return JSONResponse({})

    return [
        Route("/door", page),
        Route("/api/door/list", listed),
        Route("/api/door/{command}", command, methods=["POST"]),
    ]
