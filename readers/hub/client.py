"""A terminal's talk with one hub: our rows go there as they are written, the others' come as they arrive."""

from __future__ import annotations

import asyncio

import httpx
import structlog
from pydantic import ValidationError

from app.wire import Batch
from readers.hub.messages import SALT_BYTES, Exchange, Exchanged, Hello, seal, unseal
from readers.hub.server import DEVICE_HEADER
from readers.hub.site import Site

RETRY_S = 2.0
WAIT_S = 15.0

_log = structlog.get_logger(__name__)


class HubClient:
    """`run()` is one task for the life of the agent. A hub that is away changes nothing but who we hear of."""

    def __init__(
        self, url: str, site: Site, *, retry_s: float = RETRY_S, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._url = url
        self._site = site
        self._retry_s = retry_s
        # What keeps us out is told once, until the hub has talked with us again.
        self._calm = True
        self._http = httpx.AsyncClient(base_url=url, transport=transport, timeout=WAIT_S + 5, trust_env=False)

    async def run(self) -> None:
        """Until cancelled."""
        async with self._http:
            while True:
                try:
                    hello = Hello.model_validate_json((await self._http.get("/site/1")).raise_for_status().content)
                    if hello.device == self._site.device:
                        return
                    await self._talk(hello)
                except (httpx.HTTPError, httpx.InvalidURL, ValidationError, ValueError) as error:
                    if self._calm:
                        _log.info("hub_away", url=self._url, why=repr(error))
                    self._calm = False
                await asyncio.sleep(self._retry_s)

    async def _talk(self, hello: Hello) -> None:
        """Both ways until one of them fails. No task group: on Python 3.11 one may swallow the cancellation that comes
        while a child fails, and the agent would never stop."""
        both = [asyncio.create_task(self._push(hello)), asyncio.create_task(self._pull(hello))]
        try:
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in both:
                task.cancel()
            await asyncio.wait(both)
            for task in both:
                # Looked at, so that nothing is said of it when it is thrown away.
                if not task.cancelled():
                    task.exception()

    async def _push(self, hello: Hello) -> None:
        known = 0
        while True:
            batches, until = self._site.since(known, own=True)
            if batches:
                await self._exchange(hello, Exchange(session=hello.session, batches=batches))
            known = until
            await self._site.news(known, WAIT_S)

    async def _pull(self, hello: Hello) -> None:
        known, wait_s = 0, 0.001
        while True:
            reply = await self._exchange(hello, Exchange(session=hello.session, since=known, wait_s=wait_s))
            self._site.heard(reply.around)
            self._take(reply.batches)
            known, wait_s = reply.until, WAIT_S

    def _take(self, batches: tuple[Batch, ...]) -> None:
        for batch in batches:
            if not self._site.take(batch):
                _log.warning("hub_gave_unknown_rows", url=self._url, device=str(batch.device))

    async def _exchange(self, hello: Hello, asked: Exchange) -> Exchanged:
        secret = self._site.secret(hello.device)
        if secret is None:
            raise ValueError("the hub is no terminal of this network")
        sealed = seal(secret, self._site.device, hello.device, asked.model_dump_json().encode())
        headers = {DEVICE_HEADER: str(self._site.device)}
        reply = (await self._http.post("/site/1/exchange", content=sealed, headers=headers)).raise_for_status()
        plain = unseal(secret, hello.device, self._site.device, reply.content, sealed[:SALT_BYTES])
        told = Exchanged.model_validate_json(plain)
        self._calm = True
        return told
