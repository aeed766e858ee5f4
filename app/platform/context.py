"""What a request stands on, gathered at start by app.main and found again from any request.

app.state.context = Context.open(settings)
context = context_of(request)
"""

from __future__ import annotations

from dataclasses import dataclass

from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import HTTPConnection

from app.platform.database import create_engine, read_only
from app.platform.secrets import ServerKeys, load_keys
from app.platform.settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """`engine` is for transactions that write, `reader` for those that only read, `limiter` counts requests."""

    settings: Settings
    engine: AsyncEngine
    reader: AsyncEngine
    keys: ServerKeys
    limiter: MovingWindowRateLimiter

    @classmethod
    def open(cls, settings: Settings) -> Context:
        """Makes the data folder and the keys if needed; the database is not spoken to yet."""
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        engine = create_engine(settings.sqlalchemy_url)
        limiter = MovingWindowRateLimiter(MemoryStorage())
        return cls(settings, engine, read_only(engine), load_keys(settings.data), limiter)

    async def close(self) -> None:
        await self.engine.dispose()


def context_of(connection: HTTPConnection) -> Context:
    context = connection.app.state.context
    if not isinstance(context, Context):
        raise TypeError("app.state.context is not set: app.main does that at start")
    return context
