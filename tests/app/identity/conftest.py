"""An app with the rooms of identity alone, over each kind of database, and a few people."""

from __future__ import annotations

import io
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest
import structlog
from argon2 import PasswordHasher
from fastapi import Depends, FastAPI
from starlette.middleware import Middleware

from app.identity import api, pages, service
from app.identity.guard import guard
from app.identity.roles import Grant, Role
from app.platform.context import Context
from app.platform.csrf import SameOrigin
from app.platform.errors import NotSignedIn
from app.platform.http_problems import CatchUnexpected, install_problems
from app.platform.settings import Settings
from app.platform.telemetry import configure_logging

PASSWORD = "un vélo sous la pluie"
GUINGUETTE, RAFFINERIE = UUID(int=1), UUID(int=2)


class Clock:
    """The server's clock, turned by the test."""

    def __init__(self) -> None:
        self.now_us = 1_763_770_000_000_000

    def __call__(self) -> int:
        return self.now_us

    def advance(self, *, hours: float) -> None:
        self.now_us += int(hours * 3600 * 1_000_000)


@pytest.fixture
def turning_clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("app.platform.clock.now_us", clock)
    return clock


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cost of a hash is its purpose, and not what most tests are about."""
    monkeypatch.setattr("app.identity.passwords._hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture(autouse=True)
def _quiet_logs() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    configure_logging("error", io.StringIO())
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(data=tmp_path / "data", database_url=database_url)


@pytest.fixture
async def context(settings: Settings) -> AsyncIterator[Context]:
    context = Context.open(settings)
    yield context
    await context.close()


@pytest.fixture
async def marie(context: Context) -> UUID:
    """Manages the Guinguette, and works the bar of the Raffinerie."""
    grants = [Grant(Role.VENUE_ADMIN, GUINGUETTE), Grant(Role.CASHIER, RAFFINERIE)]
    return await service.create_person(context, "marie", "Marie Curie", PASSWORD, "4711", grants, actor="test")


def build(context: Context) -> FastAPI:
    app = FastAPI(
        dependencies=[Depends(guard)],
        docs_url=None,
        redoc_url=None,
        middleware=[Middleware(CatchUnexpected), Middleware(SameOrigin, base_url=context.settings.base_url)],
    )
    app.state.context = context
    install_problems(app)
    app.add_exception_handler(NotSignedIn, pages.ask_to_sign_in)
    app.include_router(api.router)
    app.include_router(pages.router)
    return app


@pytest.fixture
def app(context: Context) -> FastAPI:
    return build(context)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server.test") as client:
        yield client
