"""Who looks at a wallet is told as soon as something moved on it: server-sent events for its cards' open pages.

One reader per process follows the ledger, however many pages are open. What moved is not told: the page asks for that
(`/c/{token}/now`), and is shown what its visitor may see.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from typing import Final

from app.outbox.follower import Follower
from app.platform.errors import TooManyRequests

# Of one wallet, in one process: a family's phones, and nobody who would use up the server's connections.
WATCHERS_MAX: Final = 12
# Proxies commonly close what is silent for a minute.
ALIVE_S: Final = 15.0
# The browser then comes back by itself and is let in, or not, by what is true by then.
LIVES_S: Final = 600.0
RETRY_MS: Final = 2000


class Moves:
    """`run` it once per process."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self._watchers: dict[str, set[asyncio.Event]] = {}

    async def run(self) -> None:
        """Until the follower stops; whoever watches is then let go."""
        try:
            after = self._follower.newest
            while not self._follower.stopped:
                stretch = await self._follower.next(after)
                sides = (side for it in stretch.operations for t in it.transfers for side in (t.debit, t.credit))
                self._wake(self._watchers.keys() & {stretch.accounts[side].owner for side in sides})
                after = stretch.upto
        finally:
            self._wake(list(self._watchers))

    def watch(self, owner: str, *, alive_s: float = ALIVE_S, lives_s: float = LIVES_S) -> AsyncIterator[str]:
        """An event "moved" each time that something did on an account of `owner`. TooManyRequests."""
        if len(self._watchers.get(owner, ())) >= WATCHERS_MAX:
            raise TooManyRequests(int(ALIVE_S))
        return self._events(owner, alive_s, lives_s)

    async def _events(self, owner: str, alive_s: float, lives_s: float) -> AsyncIterator[str]:
        clock = asyncio.get_running_loop().time
        ends_s, news = clock() + lives_s, asyncio.Event()
        self._watchers.setdefault(owner, set()).add(news)
        try:
            yield f"retry: {RETRY_MS}\n\n"
            while not self._follower.stopped and clock() < ends_s:
                with suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), alive_s)
                yield "event: moved\ndata:\n\n" if news.is_set() else ": alive\n\n"
                news.clear()
        finally:
            self._watchers[owner].discard(news)
            if not self._watchers[owner]:
                del self._watchers[owner]

    def _wake(self, owners: Collection[str]) -> None:
        for owner in owners:
            for news in self._watchers[owner]:
                news.set()
