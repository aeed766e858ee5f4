"""Calls to a payment provider's API: answered in time, tried again where that does no harm, and with no key in any log.

Reading is always tried again. What changes something is tried again under its idempotency key, so that a provider which
had done it before its answer was lost does not do it twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import structlog

from app.topups.provider import ProviderAway, ProviderRefused

TIMEOUT_S = 10.0
TRIES = 3
PAUSE_S = 0.3

# 409: another request under the same idempotency key is still being worked on.
AGAIN = frozenset({409, 429})

_log = structlog.get_logger("comptoir.payments")


class Api:
    """`client` carries the base address and the key. `pause_s`: before the second try, twice that before the third."""

    def __init__(self, provider: str, client: httpx.AsyncClient, *, pause_s: float = PAUSE_S) -> None:
        self._provider, self._client, self._pause_s = provider, client, pause_s

    async def get(self, path: str, params: Mapping[str, str | int | list[str]] | None = None) -> dict[str, Any]:
        return await self._call("GET", path, params=params)

    async def post(self, path: str, key: str, **content: Any) -> dict[str, Any]:
        """`key`: the idempotency key. `content`: `data` (a form) or `json`."""
        return await self._call("POST", path, headers={"Idempotency-Key": key}, **content)

    async def close(self) -> None:
        await self._client.aclose()

    async def _call(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        reason = ""
        for number in range(TRIES):
            if number:
                await asyncio.sleep(self._pause_s * number)
            try:
                answer = await self._client.request(method, path, timeout=TIMEOUT_S, **more)
            except httpx.HTTPError as error:
                reason = type(error).__name__
            else:
                if answer.status_code < 400:
                    return self._read(answer)
                reason = f"{answer.status_code} {_reason_of(answer)}".strip()
                if answer.status_code < 500 and answer.status_code not in AGAIN:
                    raise ProviderRefused(self._provider, answer.status_code, _reason_of(answer))
            _log.warning("payment provider", provider=self._provider, method=method, path=path, reason=reason)
        raise ProviderAway(self._provider, reason)

    def _read(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            found = answer.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise ProviderAway(self._provider, "an answer that cannot be read")
        return found


def _reason_of(answer: httpx.Response) -> str:
    """Stripe: error.type and error.code; Mollie: title. Messages may repeat what was sent, and stay unread."""
    try:
        body = answer.json()
        error = body.get("error", body)
        said = [error.get("type"), error.get("code"), error.get("title"), error.get("field")]
    except (ValueError, AttributeError):
        return ""
    return " ".join(str(it)[:60] for it in said if it)
