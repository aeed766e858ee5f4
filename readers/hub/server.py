"""The hub's two routes: who it is, and the exchange of batches with terminals that it can know."""

from __future__ import annotations

import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from uuid import UUID

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from readers.hub.messages import BODY_BYTES_MAX, SALT_BYTES, Exchange, Exchanged, Hello, seal, unseal
from readers.hub.site import Site

# By address: a terminal asks a few times a second at most; a stranger may knock as often.
PER_SECOND, BURST, ADDRESSES_MAX = 20.0, 60.0, 256
DEVICE_HEADER = "Comptoir-Device"


def create_hub(site: Site, monotonic: Callable[[], float] = time.monotonic) -> Starlette:
    """Serve a site to its terminals. `monotonic`: seconds."""
    hub = _Hub(site, monotonic)
    return Starlette(
        routes=[Route("/site/1", hub.hello), Route("/site/1/exchange", hub.exchange, methods=["POST"])],
    )


class _Hub:
    def __init__(self, site: Site, monotonic: Callable[[], float]) -> None:
        self._site = site
        self._monotonic = monotonic
        self._session = uuid.uuid4().hex
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def hello(self, request: Request) -> Response:
        if not self._admit(request):
            return Response(status_code=429)
        return Response(Hello(device=self._site.device, session=self._session).model_dump_json())

    async def exchange(self, request: Request) -> Response:
        """403 for whoever is no terminal of ours, without a word more; 409: the session is over, say hello again."""
        if not self._admit(request):
            return Response(status_code=429)
        site = self._site
        try:
            caller = UUID(request.headers.get(DEVICE_HEADER, ""))
        except ValueError:
            return Response(status_code=403)
        secret = site.secret(caller)
        if secret is None:
            return Response(status_code=403)
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES_MAX:
                return Response(status_code=413)
        try:
            asked = Exchange.model_validate_json(unseal(secret, caller, site.device, body))
        except (ValidationError, ValueError):
            return Response(status_code=403)
        if asked.session != self._session:
            return Response(status_code=409)
        site.heard(caller, [caller])
        for batch in asked.batches:
            site.take(batch)
        if asked.wait_s:
            await site.news(asked.since, asked.wait_s)
        batches, until = site.since(asked.since, caller) if asked.wait_s else ((), asked.since)
        around = (site.device, *sorted(site.around.devices))
        reply = Exchanged(until=until, batches=batches, around=around)
        sealed = seal(secret, site.device, caller, reply.model_dump_json().encode(), body[:SALT_BYTES])
        return Response(sealed, media_type="application/octet-stream")

    def _admit(self, request: Request) -> bool:
        address = request.client.host if request.client else ""
        now = self._monotonic()
        left, at = self._buckets.pop(address, (BURST, now))
        left = min(BURST, left + (now - at) * PER_SECOND)
        self._buckets[address] = (max(0.0, left - 1), now)
        if len(self._buckets) > ADDRESSES_MAX:
            self._buckets.popitem(last=False)
        return left >= 1
