"""A browser without a screen for tests that are not asynchronous: it keeps cookies and calls the application."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx
from starlette.types import ASGIApp


class Browser:
    def __init__(self, app: ASGIApp) -> None:
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="https://comptoir.test")

    def get(
        self, path: str, *, headers: Mapping[str, str] | None = None, params: Mapping[str, str] | None = None
    ) -> httpx.Response:
        return asyncio.run(self._client.get(path, headers=headers, params=params))
