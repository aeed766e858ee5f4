"""A card reader without a reader, and a hand that sells through it: everything behind the reader is the real agent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from queue import Empty, SimpleQueue
from uuid import UUID

from readers.agent import Running
from readers.taps import CardEvent, CardGone, CardSeen, CardSilent, Moment, Presence, ReaderLost
from readers.terminal.view import BasketItem
from readers.till import CardTill

CURRENCY = "RAF"
ANSWER_S_MAX = 30.0
SPREAD = 0x9E3779B97F4B


def card_uid(number: int) -> str:
    """A card of the bench's network, as app.cli.bench.bar has numbered them."""
    return f"04{number * SPREAD % 2**48:012X}"


class HandDriver:
    """Implements readers.taps.Driver: says what it is told to say, as soon as it is told."""

    name = "bench"

    def __init__(self) -> None:
        self._events: SimpleQueue[CardEvent] = SimpleQueue()

    def opened(self, _: Presence) -> HandDriver:
        return self

    def show(self, event: CardEvent) -> None:
        self._events.put(event)

    def poll(self, timeout_s: float) -> CardEvent | ReaderLost | None:
        try:
            return self._events.get(timeout=timeout_s)
        except Empty:
            return None

    def exchange(self, data: bytes) -> bytes:
        raise CardSilent(data.hex())

    def close(self) -> None: ...


@dataclass
class Hand:
    """Sells one product a tap, to one card after the other, so that no card reaches its limit of offline sales."""

    driver: HandDriver
    till: CardTill
    products: Iterator[UUID]
    cards: Iterator[str]
    taps_s: list[float] = field(default_factory=list)

    @classmethod
    def at(cls, running: Running, driver: HandDriver, cards: int, first: int = 0) -> Hand:
        """`cards`: how many of the bench network's cards there are; `first` is the first that is laid down."""
        sold = [UUID(str(it["id"])) for it in running.till.catalogue()["products"]]  # type: ignore[attr-defined]
        uids = (card_uid(number % cards) for number in range(first, first + 10**9))
        return cls(driver, running.till, cycle(sold), uids)

    async def tap(self) -> float:
        """Sell; seconds from the instant at which the card answered to the result on the screen."""
        uid = bytes.fromhex(next(self.cards))
        await self.till.dismiss()
        await self.till.pay([BasketItem(next(self.products), 1)], CURRENCY)
        seen = Moment.now()
        self.driver.show(CardSeen(uid, "C", *seen))
        await changed(self.till, lambda: self.till.screen().phase in ("paid", "refused"))
        took_s = (time.monotonic_ns() - seen.monotonic_ns) / 1e9
        result = self.till.screen().result
        if result is None or result.reason is not None:
            raise RuntimeError(f"a sale was refused while it was measured: {result}")
        self.driver.show(CardGone(uid, *Moment.now()))
        self.taps_s.append(took_s)
        return took_s


async def changed(till: CardTill, holds: Callable[[], object], timeout_s: float = ANSWER_S_MAX) -> None:
    """Wait until something is so on the screen. TimeoutError."""
    end = time.monotonic() + timeout_s
    revision = 0
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError("the terminal did not come so far")
        revision = await till.wait_change(revision, 1.0)


def percentile_ms(seconds: list[float], percent: float) -> float:
    """The value below which `percent` of them lie, in milliseconds."""
    ordered = sorted(seconds)
    return 1000 * ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
