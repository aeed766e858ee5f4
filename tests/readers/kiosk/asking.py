"""Requests to a kiosk in memory, as the page on the same device sends them."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
from starlette.types import ASGIApp

ORIGIN = "http://127.0.0.1:8001"


def ask(app: ASGIApp, method: str, path: str, *, base: str = ORIGIN, **more: Any) -> httpx.Response:
    async def once() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base) as client:
            return await client.request(method, path, **more)

    return asyncio.run(once())


def post(app: ASGIApp, path: str, body: object, **headers: str) -> httpx.Response:
    return ask(app, "POST", path, json=body, headers=headers)
