"""The till that the pages drive: commands from staff, events from the reader, one screen."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import replace
from typing import Literal
from uuid import UUID

import structlog

from app.rules.ids import uuid7
from app.rules.offline import Refusal
from app.wire import VoidRow
from readers.journal import Clock, Journal, JournalFailed, PaidSale
from readers.sync import Link
from readers.taps import CardGone, CardSeen, ReaderEvent, ReaderFound, ReaderLost, TwoCards, UnusableCard
from readers.terminal.counter import RESULT_NS_MAX, RESULT_NS_MIN, Card, Counter, Pending
from readers.terminal.view import BasketItem, PastSale, Result, Screen, TillError
from readers.till.shelf import SnapshotShelf
from readers.till.staff import SignIn
from readers.till.tap import Tap

LAST_SALES = 20
# While offline nothing else moves the screen, and the snapshot grows old.
REFRESH_S = 15.0
REASON_MAX = 200

_log = structlog.get_logger(__name__)


class CardTill:
    """Implements readers.terminal.view.Till. Everything happens on one event loop; `tap` does the waiting."""

    def __init__(
        self, journal: Journal, shelf: SnapshotShelf, tap: Tap, link: Link, clock: Clock, staff: SignIn
    ) -> None:
        self._journal = journal
        self._shelf = shelf
        self._tap = tap
        self._link = link
        self._clock = clock
        self._staff = staff
        self._counter = Counter()
        self._asking = False
        self._voiding: set[UUID] = set()
        self._reader: Literal["ok", "lost"] = "lost"
        self._reader_reason: str | None = None
        self._last: deque[PaidSale] = deque(maxlen=LAST_SALES)
        self._revision = 0
        self._changed = asyncio.Event()
        self._timers: list[asyncio.TimerHandle] = []
        self._settling: asyncio.Task[None] | None = None
        link.on_change = self._bump
        shelf.on_change = self._restocked

    async def start(self) -> None:
        """Show what was committed before: after a crash staff see how the last sale ended."""
        self._last.extend(await self._journal.last_sales(LAST_SALES))
        self._bump()

    async def run(self) -> None:
        """Keep the figures that only time changes up to date, until cancelled."""
        while True:
            await asyncio.sleep(REFRESH_S)
            if not self._link.online:
                self._bump()

    async def close(self) -> None:
        """Let a tap that is being decided come to its end; one that waits for a card is cancelled at the next start."""
        for timer in self._timers:
            timer.cancel()
        if self._settling:
            await asyncio.wait([self._settling], timeout=1)

    # What the pages see

    def screen(self) -> Screen:
        pairing, shop, pending = self._journal.pairing, self._shelf.shop, self._counter.pending
        return Screen(
            phase=self._counter.phase,
            venue=shop.snapshot.venue_name if shop else pairing.venue_name,
            terminal=pairing.name,
            signed_in=self._staff.who,
            online=self._link.online,
            offline_since_us=self._link.offline_since_us,
            waiting=self._journal.waiting,
            reader=self._reader,
            reader_reason=self._reader_reason,
            snapshot_age_s=self._shelf.age_s,
            snapshot_stale=self._shelf.stale,
            quarantined=pairing.halted is not None,
            clock_skewed=self._clock.skewed,
            pending_total=pending.basket.total if pending else 0,
            pending_currency=pending.basket.currency if pending else None,
            result=self._counter.result,
            hint=self._counter.hint,
            catalogue_version=shop.catalogue_version if shop else "",
            last_sales=tuple(_past(paid) for paid in self._last),
        )

    def catalogue(self) -> dict[str, object]:
        if self._shelf.shop:
            return self._shelf.shop.catalogue
        venue = self._journal.pairing.venue_name
        return {"version": "", "network": "", "venue": venue, "currencies": [], "products": []}

    async def wait_change(self, seen: int, timeout_s: float) -> int:
        if self._revision == seen:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._changed.wait()
            except TimeoutError:
                pass
        return self._revision

    # What staff do

    async def sign_in(self, pin: str) -> None:
        shop = self._shelf.shop
        if shop is None:
            raise TillError("no_snapshot")
        await self._staff.sign_in(pin, shop.staff.values())
        self._bump()

    async def sign_out(self) -> None:
        self._staff.sign_out()
        self._bump()
        if self._counter.phase == "present_card":
            await self.cancel()

    async def pay(self, items: list[BasketItem], currency: str) -> UUID:
        cashier, shop = self._signed_in(), self._shelf.shop
        if self._asking or not self._counter.free:
            raise TillError("busy")
        if shop is None:
            raise TillError("no_snapshot")
        if self._journal.pairing.halted == "behind":
            # Each row written now would make the fork longer.
            raise TillError("journal_failed")
        basket = shop.basket(items, currency)
        self._asking = True
        try:
            sale = await self._tap.intend()
        except JournalFailed as error:
            _log.error("journal_failed", why=str(error))
            raise TillError("journal_failed") from error
        finally:
            self._asking = False
        if self._staff.who != cashier:
            await self._tap.withdraw(sale)
            raise TillError("not_signed_in")
        self._move(self._counter.ask(Pending(sale, basket, cashier)))
        return sale

    async def cancel(self) -> None:
        pending = self._counter.pending
        if self._counter.phase == "checking":
            raise TillError("busy")
        if pending is None:
            return
        # First the state, then the journal: a card that comes meanwhile must find nothing to pay.
        self._move(self._counter.withdraw())
        await self._tap.withdraw(pending.sale)
        self._bump()

    async def dismiss(self) -> None:
        self._move(self._counter.dismiss())

    async def void(self, sale: UUID, reason: str) -> None:
        cashier = self._signed_in()
        reason = reason.strip()[:REASON_MAX]
        paid = next((paid for paid in self._last if paid.row.sale.id == sale and not paid.voided), None)
        if paid is None or sale in self._voiding or not reason:
            raise TillError("not_voidable")
        self._voiding.add(sale)
        now_us = self._clock.now_us()
        try:
            await self._tap.void(VoidRow(id=uuid7(), sale=sale, reason=reason, cashier=cashier, at_us=now_us), paid.row)
        except JournalFailed as error:
            _log.error("journal_failed", sale=str(sale), why=str(error))
            raise TillError("journal_failed") from error
        finally:
            self._voiding.discard(sale)
        self._last = deque((replace(p, voided=p.voided or p.row.sale.id == sale) for p in self._last), LAST_SALES)
        self._bump()

    # What happens on the reader

    def on_reader(self, event: ReaderEvent) -> None:
        """An event of the card reader, on the event loop."""
        match event:
            case CardSeen(uid, assurance):
                self._move(self._counter.seen(Card(uid.hex().upper(), assurance)))
            case CardGone():
                self._move(self._counter.gone(self._clock.monotonic_ns()))
            case UnusableCard():
                self._move(self._counter.troubled("unusable_card"))
            case TwoCards():
                self._move(self._counter.troubled("two_cards"))
            case ReaderFound():
                self._reader, self._reader_reason = "ok", None
                self._bump()
            case ReaderLost(reason):
                self._reader, self._reader_reason = "lost", reason
                self._bump()

    # Within

    def _signed_in(self) -> UUID:
        if self._staff.who is None:
            raise TillError("not_signed_in")
        return self._staff.who

    def _move(self, counter: Counter) -> None:
        """Take a new state, and check the card if one lies there that may pay now."""
        if counter == self._counter:
            return
        self._counter = counter
        card, pending = counter.may_check, counter.pending
        if card and pending:
            self._counter = counter.check()
            self._settling = asyncio.get_running_loop().create_task(self._settle(pending, card))
        self._bump()

    async def _settle(self, pending: Pending, card: Card) -> None:
        try:
            result, row = await self._tap.settle(pending, card)
        except Exception:
            # A fault of ours: no green light, so whatever was booked is taken back.
            _log.exception("tap_failed", sale=str(pending.sale))
            await self._tap.withdraw(pending.sale)
            result, row = _failed(pending, card, self._clock.now_us()), None
        if row:
            self._last.appendleft(PaidSale(row, voided=False))
        _log.info("tap", sale=str(result.sale), reason=result.reason, offline=result.offline)
        self._conclude(result)

    def _conclude(self, result: Result) -> None:
        self._move(self._counter.conclude(result, self._clock.monotonic_ns()))
        loop = asyncio.get_running_loop()
        for timer in self._timers:
            timer.cancel()
        # A millisecond late, so that a timer never fires just before the instant that it stands for.
        self._timers = [loop.call_later(ns / 1e9 + 0.001, self._tick) for ns in (RESULT_NS_MIN, RESULT_NS_MAX)]

    def _tick(self) -> None:
        self._move(self._counter.at(self._clock.monotonic_ns()))

    def _restocked(self) -> None:
        shop = self._shelf.shop
        if shop and self._staff.who not in (None, *shop.staff):
            self._staff.sign_out()
        self._bump()

    def _bump(self) -> None:
        self._revision += 1
        self._changed.set()
        self._changed = asyncio.Event()


def _past(paid: PaidSale) -> PastSale:
    sale = paid.row.sale
    return PastSale(
        sale=sale.id,
        card=sale.card,
        currency=sale.tenders[0].currency,
        total=sale.tenders[0].amount,
        lines=tuple((line.name, line.quantity) for line in sale.lines),
        at_us=sale.occurred_at_us,
        offline=paid.row.mode == "offline",
        voided=paid.voided,
    )


def _failed(pending: Pending, card: Card, at_us: int) -> Result:
    basket = pending.basket
    return Result(pending.sale, card.uid, basket.currency, basket.total, Refusal.INVALID, False, None, at_us)
