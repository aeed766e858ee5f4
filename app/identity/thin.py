"""Routes with little between the wire and their function, for the hottest paths.

FastAPI's own way with a request (matching, dependencies, parameters, serialising the answer) costs more than booking a
sale does. A thin route is declared like any other, so it has its OpenAPI entry; the fast lane then answers it before
the router is asked, with the same guard and the same errors. Its function takes `request` and one pydantic body, parsed
straight from the bytes, and makes its own response.

    @hot.post("/sales", ...)                 # hot = APIRouter(route_class=ThinRoute)
    async def sell(request: Request, sale: Sale) -> Response: ...

    Middleware(FastLane, routers=[hot])      # innermost of those that every request passes
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, get_type_hints

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.identity.guard import guard

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class ThinRoute(APIRoute):
    """For functions `(request: Request, <name>: <pydantic model>) -> Response`."""

    def get_route_handler(self) -> Handler:
        endpoint, name, model = self.endpoint, self.name, _body_model(self.endpoint)

        async def handle(request: Request) -> Response:
            await guard.admit(request, name)
            try:
                body = model.model_validate_json(await request.body())
            except ValidationError as error:
                found = [{**it, "loc": ("body", *it["loc"])} for it in error.errors(include_url=False)]
                raise RequestValidationError(found) from error
            response: Response = await endpoint(request, body)
            return response

        return handle


class FastLane:
    """ASGI middleware: answers the thin routes of `routers`, and passes everything else on.

    `on_error(request, error)` makes the answer to what a handler raises, or returns None for what nobody foresaw.
    """

    def __init__(
        self,
        app: ASGIApp,
        routers: Iterable[APIRouter],
        on_error: Callable[[Request, Exception], Awaitable[Response | None]],
    ) -> None:
        self._app, self._on_error = app, on_error
        self._lanes: dict[str, tuple[ThinRoute, Handler]] = {
            route.path: (route, route.get_route_handler())
            for router in routers
            for route in router.routes
            if isinstance(route, ThinRoute)
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        lane = self._lanes.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if lane is None:
            await self._app(scope, receive, send)
            return
        scope["route"], handle = lane
        request = Request(scope, receive)
        try:
            response = await handle(request)
        except Exception as error:
            answer = await self._on_error(request, error)
            if answer is None:
                raise
            response = answer
        await response(scope, receive, send)


def _body_model(endpoint: Callable[..., Any]) -> type[BaseModel]:
    models = [it for it in get_type_hints(endpoint).values() if isinstance(it, type) and issubclass(it, BaseModel)]
    if len(models) != 1:
        raise TypeError(f"{endpoint.__name__}: a thin route takes one pydantic body")
    return models[0]
