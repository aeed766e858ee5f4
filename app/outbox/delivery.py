"""Sending to webhooks: batches of operations in order, at least once, by one process at a time.

A webhook's row says which batch is under way before it is sent, and moves on only after the receiver has confirmed it
with a 2xx. Whatever happens in between (a crash, a lost answer, a pause), the same batch is sent again under the same
`Comptoir-Delivery`: nothing is skipped, and a receiver that keeps the last number it has dealt with repeats nothing.

A process sends under a lease. One that dies leaves it behind, and another takes over when it runs out. A process that
was stopped for longer than its lease may still send its batch once more, after newer ones: hence that last number.
"""

from __future__ import annotations

import asyncio
import ssl
from functools import partial
from importlib.metadata import version
from random import uniform
from uuid import UUID, uuid4, uuid5

import httpx
import structlog
from pydantic import BaseModel

from app.ledger.documents import OperationShown, shown
from app.ledger.service import Ledger
from app.outbox import store, targets
from app.outbox.follower import Follower
from app.outbox.signing import HEADER, secret_of, signature
from app.outbox.store import Webhook
from app.platform.clock import now_us
from app.platform.context import Context
from app.platform.errors import Invalid

_log = structlog.get_logger("comptoir.outbox")

BATCH = 100
# Far above what one attempt may take, and above how far servers' clocks may differ.
LEASE_S = 60
ATTEMPT_TIMEOUT_S = 15.0
# Rounds over all webhooks: what is booked close together travels together.
ROUND_EVERY_S = 0.1
POLL_S = 1.0

RETRY_FIRST_S = 5.0
RETRY_MAX_S = 3600.0
GIVE_UP_AFTER_S = 3 * 24 * 3600
_SECOND_US = 1_000_000


class Delivery(BaseModel):
    """The body of what is sent: everything booked after operation number `after` and up to number `upto`."""

    delivery: UUID
    webhook: UUID
    after: int
    upto: int
    operations: list[OperationShown]


def retry_after_s(attempts: int) -> float:
    """How long to wait after that many failures in a row: 5 s, twice as long each time, an hour at most; and up to half
    of it less, by chance, so that what failed together does not come back together."""
    return min(RETRY_MAX_S, RETRY_FIRST_S * 2.0 ** min(attempts - 1, 20)) * uniform(0.5, 1.0)  # noqa: S311


class Deliveries:
    """One per process; `run` until it is cancelled."""

    def __init__(self, context: Context, ledger: Ledger, follower: Follower) -> None:
        self._context, self._ledger, self._follower = context, ledger, follower
        self._me = uuid4()
        self._senders: dict[UUID, asyncio.Task[None]] = {}
        self._tls = ssl.create_default_context()

    async def run(self) -> None:
        try:
            while True:
                seen = self._follower.newest
                try:
                    await self._round()
                except Exception:
                    _log.exception("webhooks could not be looked at")
                await asyncio.sleep(ROUND_EVERY_S)
                await self._follower.wait(seen, POLL_S)
        finally:
            for sender in self._senders.values():
                sender.cancel()
            if self._senders:
                await asyncio.wait(self._senders.values())

    async def _round(self) -> None:
        newest = (await self._ledger.history.moment()).seq
        async with self._context.reader.connect() as connection:
            waiting = await store.due(connection, newest, now_us(), self._me)
        for id_ in waiting:
            if id_ not in self._senders:
                task = asyncio.create_task(self._serve(id_), name=f"webhook-{id_}")
                self._senders[id_] = task
                task.add_done_callback(partial(self._ended, id_))

    def _ended(self, id_: UUID, _task: asyncio.Task[None]) -> None:
        del self._senders[id_]

    async def _serve(self, id_: UUID) -> None:
        """Send batch after batch until there is nothing more, or one fails, or another process has the lease."""
        try:
            try:
                # A client of its own: a connection is pooled by its address, and must serve no other name there.
                async with httpx.AsyncClient(
                    verify=self._tls, trust_env=False, follow_redirects=False, timeout=ATTEMPT_TIMEOUT_S
                ) as client:
                    while await self._send_next(client, id_):
                        pass
            finally:
                async with self._context.engine.begin() as connection:
                    await store.release(connection, id_, self._me)
        except Exception:
            _log.exception("a webhook could not be served", webhook=str(id_))

    async def _send_next(self, client: httpx.AsyncClient, id_: UUID) -> bool:
        """Whether a batch was confirmed."""
        newest, now = (await self._ledger.history.moment()).seq, now_us()
        async with self._context.engine.begin() as connection:
            until_us = now + LEASE_S * _SECOND_US
            batch = await store.lease(
                connection, id_, self._me, newest=newest, batch=BATCH, now_us=now, until_us=until_us
            )
        if batch is None or batch.sending_upto is None:
            return False
        error = await self._attempt(client, batch, batch.sending_upto)
        now = now_us()
        async with self._context.engine.begin() as connection:
            if error is None:
                return await store.confirm(connection, batch, self._me, now)
            failing_us = now - (batch.failing_since_us or now)
            disable = failing_us >= GIVE_UP_AFTER_S * _SECOND_US
            next_us = now + int(retry_after_s(batch.attempts + 1) * _SECOND_US)
            await store.fail(connection, batch, self._me, error=error, now_us=now, next_us=next_us, disable=disable)
        _log.warning("a webhook failed", webhook=str(id_), error=error, attempts=batch.attempts + 1, disabled=disable)
        return False

    async def _attempt(self, client: httpx.AsyncClient, batch: Webhook, upto: int) -> str | None:
        """Send one batch; what went wrong, in a few words, or None."""
        stretch = await self._ledger.history.after(batch.cursor, upto - batch.cursor)
        delivery = uuid5(batch.id, f"{batch.cursor}-{upto}")
        body = Delivery(
            delivery=delivery,
            webhook=batch.id,
            after=batch.cursor,
            upto=upto,
            operations=[shown(it, stretch.accounts) for it in stretch.operations],
        )
        content = body.model_dump_json().encode()
        at_us = now_us()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"Comptoir/{version('comptoir')}",
            "Comptoir-Delivery": str(delivery),
            HEADER: signature(self._secrets(batch, at_us), content, at_us // _SECOND_US),
        }
        try:
            async with asyncio.timeout(ATTEMPT_TIMEOUT_S):
                target = await targets.resolve(batch.url, private=self._context.settings.webhooks_private)
                request = client.build_request(
                    "POST",
                    target.url,
                    headers={**headers, "Host": target.host},
                    content=content,
                    extensions={"sni_hostname": target.name},
                )
                # What the receiver says beside its status is not read: it may be without end.
                answer = await client.send(request, stream=True)
                await answer.aclose()
        except Invalid as error:
            return error.detail
        except TimeoutError:
            return f"no answer within {ATTEMPT_TIMEOUT_S:.0f} s"
        except (httpx.HTTPError, OSError) as error:
            return f"{type(error).__name__}: {error}"[:200]
        return None if answer.is_success else f"the receiver answered {answer.status_code}"

    def _secrets(self, batch: Webhook, at_us: int) -> list[str]:
        key, now = self._context.keys.token, batch.secret_version
        versions = [now, now - 1] if batch.old_secret_until_us > at_us else [now]
        return [secret_of(key, batch.id, it) for it in versions]
