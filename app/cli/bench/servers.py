"""The servers that are measured: ours, ours doing nothing, and a FastAPI route that does nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from fastapi.middleware import Middleware
from fastapi.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response

import app.sales.api
from app.main import create_app
from app.platform.settings import Settings
from app.platform.telemetry import configure_logging
from app.wire import Sale, SaleReply

# The file with the page that the floor serves.
PAGE: Final = "COMPTOIR_BENCH_PAGE"


def _answer(sale: Sale) -> SaleReply:
    return SaleReply(id=sale.id, status="booked", booked=1, balances={"RAF": 0})


def fastapi_noop() -> FastAPI:
    """The floor of the HTTP side: the same body checked by pydantic, the same answer made by FastAPI, nothing else."""
    api = FastAPI()

    @api.post("/noop", status_code=201)
    async def noop(sale: Sale) -> SaleReply:
        return _answer(sale)

    return api


def fastapi_page() -> FastAPI:
    """The floor of a page: so many bytes of HTML that stand ready, packed as a browser asks for it."""
    api = FastAPI(middleware=[Middleware(GZipMiddleware, minimum_size=1000)])
    page = Path(os.environ[PAGE]).read_bytes()

    @api.get("/page")
    async def ready() -> Response:
        return Response(page, media_type="text/html")

    return api


async def _noop(_: Request, sale: Sale) -> Response:
    return Response(_answer(sale).model_dump_json(), 201, media_type="application/json")


def ours() -> FastAPI:
    """The whole server, with one thin route more: a sale without its booking, to tell what booking costs."""
    settings = Settings()
    configure_logging(settings.log_level)
    # Under the name of the real one, so that the same line of the table of rights guards it.
    app.sales.api.hot.add_api_route("/noop", _noop, methods=["POST"], name="sell", response_model=SaleReply)
    return create_app(settings)
