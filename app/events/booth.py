"""Where orders that are paid at once queue, in each process: what has come in while the last were served is served
together, so that a sale that opens with thousands waiting is a few transactions and not thousands in a row."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import HTTPConnection

from app.events.orders import Ask, Order, hold_many
from app.events.paying import pay_many
from app.ledger.service import Ledger, ledger_of
from app.platform.errors import DomainError

BATCH_MAX: Final = 100


class Booth:
    """One per process. A lone order never waits for others."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self._waiting: list[tuple[Ask, asyncio.Future[Order]]] = []
        self._serving: asyncio.Task[None] | None = None

    async def order(self, ask: Ask) -> Order:
        """Held, paid and issued. Raises as `orders.hold` and `paying.pay`; what is refused for want of money has given
        its places back, and its id is used up."""
        answer: asyncio.Future[Order] = asyncio.get_running_loop().create_future()
        self._waiting.append((ask, answer))
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve(), name="booth")
        return await answer

    async def _serve(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
                try:
                    outcomes: list[Order | Exception] = [*await self._served([ask for ask, _ in batch])]
                except Exception as error:
                    outcomes = [error] * len(batch)
                for (_, answer), outcome in zip(batch, outcomes, strict=True):
                    if answer.done():
                        continue
                    if isinstance(outcome, Exception):
                        answer.set_exception(outcome)
                    else:
                        answer.set_result(outcome)
        finally:
            self._serving = None

    async def _served(self, asks: list[Ask]) -> list[Order | DomainError]:
        held = await hold_many(self.ledger.engine, asks)
        # Asked for twice at once, it is paid for once.
        paying = {it.id: it for it in held if isinstance(it, Order) and it.state == "paying"}
        done = dict(zip(paying, await pay_many(self.ledger, list(paying.values())), strict=True)) if paying else {}
        return [it if isinstance(it, DomainError) else done.get(it.id, it) for it in held]


def booth_of(request: HTTPConnection) -> Booth:
    """The process's booth, made when it is first needed."""
    found: Booth | None = getattr(request.app.state, "booth", None)
    ledger = ledger_of(request)
    if found is None or found.ledger is not ledger:
        found = request.app.state.booth = Booth(ledger)
    return found
