"""A route with little between the wire and its function, for the hottest paths.

FastAPI's own handling of a request (dependencies, parameters, serialising the answer) costs about as much as booking a
sale does. A thin route is declared like any other, so it has the same OpenAPI entry, the same guard and the same
errors; but its function takes just `request` and one pydantic body, parsed straight from the bytes, and makes its own
response.

    @router.post("/sales", ...)              # router = APIRouter(route_class=ThinRoute)
    async def sell(request: Request, sale: Sale) -> Response: ...
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, get_type_hints

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.identity.guard import guard


class ThinRoute(APIRoute):
    """For functions `(request: Request, <name>: <pydantic model>) -> Response`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
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


def _body_model(endpoint: Callable[..., Any]) -> type[BaseModel]:
    models = [it for it in get_type_hints(endpoint).values() if isinstance(it, type) and issubclass(it, BaseModel)]
    if len(models) != 1:
        raise TypeError(f"{endpoint.__name__}: a thin route takes one pydantic body")
    return models[0]
