"""A small app that stands on the platform alone: what app.main wires, without any feature."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest
import structlog
from fastapi import FastAPI
from starlette.middleware import Middleware

from app.platform.body_limit import BodyLimit
from app.platform.context import Context
from app.platform.csrf import SameOrigin
from app.platform.http_problems import CatchUnexpected, RenderProblem, install_problems
from app.platform.settings import Settings
from app.platform.telemetry import RequestLog, configure_logging

BODY_LIMIT_BYTES = 1000


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", base_url="https://comptoir.example", trusted_proxies=("10.0.0.0/8",))


class Log:
    """What was logged since the test began."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.text.splitlines()]


@pytest.fixture(autouse=True)
def logged() -> Iterator[Log]:
    log, root = Log(), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    configure_logging("info", log.stream)
    yield log
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
async def context(settings: Settings) -> AsyncIterator[Context]:
    context = Context.open(settings)
    yield context
    await context.close()


@pytest.fixture
def make_app(context: Context) -> Callable[..., FastAPI]:
    def make(render_problem: RenderProblem | None = None) -> FastAPI:
        app = FastAPI(
            middleware=[
                Middleware(RequestLog),
                Middleware(CatchUnexpected),
                Middleware(SameOrigin, base_url=context.settings.base_url, token_paths=("/c/",)),
                Middleware(BodyLimit, limit_bytes=BODY_LIMIT_BYTES),
            ]
        )
        app.state.context = context
        install_problems(app, render_problem)
        return app

    return make


@pytest.fixture
def app(make_app: Callable[..., FastAPI]) -> FastAPI:
    return make_app()


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server.test") as client:
        yield client
