"""Open tabs as the staff screen asks for them: only the server knows them, so each answer is fresh."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field, ValidationError
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.wire import Means
from app.wire.base import Message
from readers.kiosk.bodies import LINES_MAX, Item
from readers.kiosk.problems import malformed, refused_by_till
from readers.terminal.commands import Till, TillError


class Round(Message):
    """`round` is made by the page, so that a round sent again is added once."""

    round: UUID
    items: Annotated[list[Item], Field(min_length=1, max_length=LINES_MAX)]


class Pay(Message):
    """`rest`: how staff take what goes beyond what is set aside, or that the house gives it, and for what `reason`."""

    rest: Means | None = None
    reason: Annotated[str, Field(max_length=200)] = ""


def routes(till: Till) -> list[Route]:
    async def listed(_: Request) -> Response:
        """Each tab, with `total` beside what the wire tells of it."""
        try:
            tabs = await till.tabs()
        except TillError as error:
            return refused_by_till(error)
        shown = [{**it.model_dump(mode="json"), "total": it.total} for it in tabs]
        return Response(to_json(shown), media_type="application/json")

    async def add(request: Request) -> Response:
        try:
            body = Round.model_validate_json(await request.body())
            items = [it.chosen() for it in body.items]
            await till.add_to_tab(request.path_params["tab"], items, body.round)
        except ValidationError as error:
            return malformed(error)
        except TillError as error:
            return refused_by_till(error)
        return JSONResponse({})

    async def pay(request: Request) -> Response:
        try:
            body = Pay.model_validate_json(await request.body())
            sale = await till.close_tab(request.path_params["tab"], body.rest, body.reason)
        except ValidationError as error:
            return malformed(error)
        except TillError as error:
            return refused_by_till(error)
        return JSONResponse({"sale": None if sale is None else str(sale)})

    return [
        Route("/api/tabs", listed),
        Route("/api/tabs/{tab:uuid}/items", add, methods=["POST"]),
        Route("/api/tabs/{tab:uuid}/pay", pay, methods=["POST"]),
    ]
