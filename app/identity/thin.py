"""Routes with little between the wire and their function, for the hottest paths.

FastAPI's own way with a request (middleware, matching, dependencies, parameters, serialising the answer) costs more
than booking a sale does. A thin route is declared like any other, so it has its OpenAPI entry; the fast lane answers it
before any middleware is asked, with the same guard, limit, headers and log line. Its function takes `request` and one
pydantic body, parsed straight from the bytes, and makes its own response.

    @hot.post("/sales", ...)                 # hot = APIRouter(route_class=ThinRoute)
    async def sell(request: Request, sale: Sale) -> Response: ...

    FastLane(app, routers=[hot], ...)        # around everything else

What goes wrong in the lane goes wrong once more on the long way: the same error is raised from the route there, and
becomes the answer that every other route would give.
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
from app.platform.body_limit import announced_bytes
from app.platform.telemetry import RequestLine
from app.web.headers import security_headers

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
RAISED = "comptoir.raised"


class ThinRoute(APIRoute):
    """For functions `(request: Request, <name>: <pydantic model>) -> Response`."""

    def get_route_handler(self) -> Handler:
        endpoint, name, model = self.endpoint, self.name, _body_model(self.endpoint)

        async def handle(request: Request) -> Response:
            if RAISED in request.scope:
                raise request.scope[RAISED]
            await guard.admit(request, name)
            try:
                body = model.__pydantic_validator__.validate_json(await request.body())
            except ValidationError as error:
                found = [{**it, "loc": ("body", *it["loc"])} for it in error.errors(include_url=False)]
                raise RequestValidationError(found) from error
            response: Response = await endpoint(request, body)
            return response

        return handle


class FastLane:
    """ASGI application around the whole: answers the thin routes of `routers`, and passes everything else on.

    Bodies over `limit_bytes`, or of no announced length, take the long way, where they are counted as they arrive.
    """

    def __init__(self, app: ASGIApp, routers: Iterable[APIRouter], limit_bytes: int) -> None:
        self._app, self._limit_bytes = app, limit_bytes
        self._lanes: dict[str, tuple[ThinRoute, Handler]] = {
            route.path: (route, route.get_route_handler())
            for router in routers
            for route in router.routes
            if isinstance(route, ThinRoute)
        }
        self._headers = security_headers("same-origin")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        lane = self._lanes.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if lane is None or (size := announced_bytes(scope)) is None or size > self._limit_bytes:
            await self._app(scope, receive, send)
            return
        scope["route"], handle = lane
        with RequestLine(scope) as line:
            try:
                response = await handle(Request(scope, receive))
            except Exception as error:
                scope[RAISED], line.status = error, None
            else:
                line.status = response.status_code
                response.raw_headers += [*self._headers, line.header]
                await response(scope, receive, send)
        if RAISED in scope:
            await self._app(scope, receive, send)


def _body_model(endpoint: Callable[..., Awaitable[Response]]) -> type[BaseModel]:
    models = [it for it in get_type_hints(endpoint).values() if isinstance(it, type) and issubclass(it, BaseModel)]
    if len(models) != 1:
        raise TypeError(f"{endpoint.__name__}: a thin route takes one pydantic body")
    return models[0]
