"""A terminal's talk with one hub: our rows go there as they are written, the others' come as they arrive."""

from __future__ import annotations

import asyncio

import httpx
import structlog
from pydantic import ValidationError

from app.wire import Batch
from readers.hub.messages import BODY_BYTES_MAX, HELLO_BYTES_MAX, SALT_BYTES, Exchange, Exchanged, Hello, seal, unseal
from readers.hub.server import DEVICE_HEADER
from readers.hub.site import Site

RETRY_S = 2.0
WAIT_S = 15.0

_log = structlog.get_logger(__name__)


class HubClient:
    """`run()` is one task for the life of the agent. A hub that is away changes nothing but who we hear of.

    Whoever answers at `url` may be anybody: nothing is sent there but our id and what only a terminal of our network
    can open, and nothing is read that is longer than a hub's answer. `talking`: it answers as one of ours.
    """

    def __init__(
        self, url: str, site: Site, *, retry_s: float = RETRY_S, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._url = url
        self._site = site
        self._retry_s = retry_s
        self.talking = False
        # What keeps us out is told once, until the hub has talked with us again.
        self._calm = True
        self._http = httpx.AsyncClient(base_url=url, transport=transport, timeout=WAIT_S + 5, trust_env=False)

    async def run(self) -> None:
        """Until cancelled, or until the hub turns out to be ourselves."""
        async with self._http:
            while True:
                try:
                    talk = await greet(self._http, self._site)
                    if talk.hub == self._site.device:
                        return
                    await self._both_ways(talk)
                except (httpx.HTTPError, httpx.InvalidURL, ValidationError, ValueError) as error:
                    if self._calm:
                        _log.info("hub_away", url=self._url, why=repr(error))
                    self._calm = False
                await asyncio.sleep(self._retry_s)

    async def _both_ways(self, talk: Talk) -> None:
        """Until one of them fails. No task group: on Python 3.11 one may swallow the cancellation that comes while a
        child fails, and the agent would never stop."""
        both = [asyncio.create_task(self._push(talk)), asyncio.create_task(self._pull(talk))]
        try:
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            self.talking = False
            for task in both:
                task.cancel()
            await asyncio.wait(both)
            for task in both:
                # Looked at, so that nothing is said of it when it is thrown away.
                if not task.cancelled():
                    task.exception()
            self._site.around.lost(talk.hub)

    async def _push(self, talk: Talk) -> None:
        while True:
            await talk.push()
            await self._site.news(talk.pushed, WAIT_S)

    async def _pull(self, talk: Talk) -> None:
        wait_s = 0.001
        while True:
            for batch in await talk.pull(wait_s):
                _log.warning("hub_gave_unknown_rows", url=self._url, device=str(batch.device))
            self.talking = self._calm = True
            wait_s = WAIT_S


class Talk:
    """One run of a hub, and how far each side knows the other's rows."""

    def __init__(self, http: httpx.AsyncClient, site: Site, hello: Hello) -> None:
        self._http = http
        self._site = site
        self._session = hello.session
        self.hub = hello.device
        self.pushed = self.pulled = 0
        # Since where rows were left out for want of their terminal's key, and what the site had been told by then.
        self._left_out: tuple[int, int] | None = None

    async def push(self) -> None:
        """Tell our rows that the hub does not know yet, a page of them. httpx.HTTPError, ValueError."""
        batches, until = self._site.since(self.pushed, own=True)
        if batches:
            await self._exchange(Exchange(session=self._session, batches=batches))
        self.pushed = until

    async def pull(self, wait_s: float) -> list[Batch]:
        """Take what others told, a page of it; returns the batches of nobody whom we know: they are asked for again
        once our snapshot names somebody new. httpx.HTTPError, ValueError."""
        if self._left_out and self._site.named != self._left_out[1]:
            self.pulled, self._left_out = self._left_out[0], None
        reply = await self._exchange(Exchange(session=self._session, since=self.pulled, wait_s=wait_s))
        self._site.heard(self.hub, reply.around)
        unknown = [batch for batch in reply.batches if not self._site.take(batch)]
        if unknown and self._left_out is None:
            self._left_out = self.pulled, self._site.named
        self.pulled = reply.until
        return unknown

    async def _exchange(self, asked: Exchange) -> Exchanged:
        secret, ours = self._site.secret(self.hub), self._site.device
        if secret is None:
            raise ValueError("the hub is no terminal of this network")
        sealed = seal(secret, ours, self.hub, asked.model_dump_json().encode())
        headers = {DEVICE_HEADER: str(ours)}
        request = self._http.build_request("POST", "/site/1/exchange", content=sealed, headers=headers)
        reply = await read(self._http, request, BODY_BYTES_MAX)
        return Exchanged.model_validate_json(unseal(secret, self.hub, ours, reply, sealed[:SALT_BYTES]))


async def greet(http: httpx.AsyncClient, site: Site) -> Talk:
    """Begin to talk with whoever is there. httpx.HTTPError, ValidationError."""
    body = await read(http, http.build_request("GET", "/site/1"), HELLO_BYTES_MAX)
    return Talk(http, site, Hello.model_validate_json(body))


async def read(http: httpx.AsyncClient, request: httpx.Request, limit: int) -> bytes:
    """A body of at most `limit` bytes, as it travels. httpx.HTTPError: also for more, and for a refusal."""
    request.headers["Accept-Encoding"] = "identity"
    response = await http.send(request, stream=True)
    try:
        response.raise_for_status()
        body = b""
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > limit:
                raise httpx.DecodingError(f"more than {limit} bytes", request=request)
        return body
    finally:
        await response.aclose()
