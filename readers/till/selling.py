"""Baskets and acts, from the press of a button to the result on the screen: one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from uuid import UUID

import structlog

from app.rules.ids import uuid7
from app.wire import Bill, SaleRow
from readers.journal import Clock, Journal, JournalFailed
from readers.sync import Link
from readers.terminal.by_hand import sale_by_hand
from readers.terminal.commands import TillError
from readers.terminal.counter import RESULT_NS, Ask, Card, Counter, Pending
from readers.terminal.shop import Basket
from readers.terminal.view import Amount, BasketItem, ByHand, Offer
from readers.till.acting import Act
from readers.till.last_sales import LastSales
from readers.till.person import Person
from readers.till.receipts import ReceiptDesk
from readers.till.session import SessionDesk
from readers.till.shelf import SnapshotShelf
from readers.till.tap import Ended, Tap

_log = structlog.get_logger(__name__)


class Selling:
    """The counter, with its clock and its tasks. `tap` is the one that sells now; `changed` follows every new state.

    `asking`: something is being written that nobody may come between.
    """

    def __init__(
        self,
        tap: Tap,
        acts: Mapping[str, Act],
        person: Person,
        desk: SessionDesk,
        last: LastSales,
        receipts: ReceiptDesk,
        journal: Journal,
        shelf: SnapshotShelf,
        link: Link,
        clock: Clock,
        changed: Callable[[], None],
    ) -> None:
        self.tap = tap
        self.acts = acts
        self.counter = Counter()
        self.asking = False
        self._person = person
        self._desk = desk
        self._last = last
        self._receipts = receipts
        self._journal = journal
        self._shelf = shelf
        self._link = link
        self._clock = clock
        self._changed = changed
        self._timers: list[asyncio.TimerHandle] = []
        self._settling: asyncio.Task[None] | None = None

    @property
    def free(self) -> bool:
        """Whether something new may be asked for."""
        return self.counter.free and not self.asking

    @property
    def idle(self) -> bool:
        """Whether nothing is open either, nor under way."""
        settling = self._settling is not None and not self._settling.done()
        return self.free and not settling and not self.counter.open

    @property
    def asked_for(self) -> tuple[Amount, ...]:
        """What the card is asked for now."""
        pending = self.counter.pending
        if pending is None:
            return ()
        return pending.amounts if isinstance(pending, Ask) else pending.missing or pending.basket.amounts

    async def close(self) -> None:
        """Let a tap that is being decided come to its end; one that waits for a card is cancelled at the next start."""
        for timer in self._timers:
            timer.cancel()
        if self._settling:
            await asyncio.wait([self._settling], timeout=1)

    # What staff do

    async def pay(self, items: list[BasketItem], currency: str, bill: Bill | None) -> UUID:
        cashier = self._person.signed_in()
        basket = await self._basket(items, currency, bill)
        sale = await self._intend(cashier)
        self.move(self.counter.ask(Pending(sale, basket, cashier, asked=sale)))
        return sale

    async def take(self, items: list[BasketItem], currency: str, how: ByHand, bill: Bill | None) -> UUID:
        cashier = self._person.require("gift_house" if how.means == "house" else None)
        if self._journal.pairing.halted:
            raise TillError("not_allowed")
        basket = await self._basket(items, currency, bill)
        if basket.has_tickets and how.means == "house":
            raise TillError("tickets_not_given")
        sale = sale_by_hand(basket, how, uuid7(), cashier, self._clock.now_us())
        self.asking = True
        try:
            ended = await self.tap.take(sale)
        except JournalFailed as error:
            _log.error("journal_failed", sale=str(sale.id), why=str(error))
            raise TillError("journal_failed") from error
        finally:
            self.asking = False
        self._conclude(ended)
        return sale.id

    async def act(self, name: str, wish: Mapping[str, object]) -> UUID:
        act, shop = self.acts.get(name), self._shelf.shop
        if act is None:
            raise TillError("unknown_act")
        cashier = self._person.require(act.right)
        if not self.free:
            raise TillError("busy")
        if shop is None:
            raise TillError("no_snapshot")
        if not self._link.online and not act.works_offline(shop):
            raise TillError("only_online")
        if act.journalled and self._journal.pairing.halted:
            raise TillError("journal_failed" if self._journal.pairing.halted == "behind" else "not_allowed")
        if self._person.training and not act.looks:
            raise TillError("in_training")
        content, shown = act.prepare(shop, wish)
        id_ = await self._intend(cashier) if act.journalled else uuid7()
        self.move(self.counter.ask(Ask(id_, name, content, cashier, shown, act.journalled, act.looks)))
        return id_

    async def complete(self, offer: Offer) -> None:
        cashier, open_, result = self._person.signed_in(), self.counter.open, self.counter.result
        if self.asking:
            raise TillError("busy")
        if open_ is None or result is None or offer not in result.offers:
            raise TillError("not_offered")
        sale = await self._intend(cashier)
        if self.counter.open is not open_:
            # Put away while the intent was written: nobody waits for it any more.
            await self.tap.withdraw(sale)
            raise TillError("not_offered")
        pending = replace(open_, sale=sale, cashier=cashier)
        if offer == "second_card":
            self.move(self.counter.ask(pending))
        else:
            pending = replace(pending, rest=offer)
            self.move(self.counter.go_on(pending))
            self._start(pending, None)

    async def cancel(self) -> None:
        pending = self.counter.pending
        if self.counter.phase == "checking":
            raise TillError("busy")
        if pending is None:
            return
        # First the state, then the journal: a card that comes meanwhile must find nothing to pay.
        self.move(self.counter.withdraw())
        if not isinstance(pending, Ask) or pending.journalled:
            await self.tap.withdraw(pending.sale)
        self._changed()

    # What happens at the counter

    def move(self, counter: Counter) -> None:
        """Take a new state, and check the card if one lies there that may pay now."""
        if counter == self.counter:
            return
        self.counter = counter
        card, pending = counter.may_check, counter.pending
        if card and pending:
            self.counter = counter.check()
            self._start(pending, card)
        self._changed()

    # Within

    async def _basket(self, items: list[BasketItem], currency: str, bill: Bill | None) -> Basket:
        """What is to be paid, if it may be sold now. TillError."""
        shop = self._shelf.shop
        if not self.free:
            raise TillError("busy")
        if shop is None:
            raise TillError("no_snapshot")
        if self._journal.pairing.halted == "behind":
            # Each row written now would make the fork longer.
            raise TillError("journal_failed")
        if any(item.kind == "open" for item in items):
            self._person.require("open_price")
        await self._desk.allow_sale()
        basket = shop.basket(items, currency, self._clock.now_us(), bill, self._shelf.tickets)
        if basket.has_tickets and self._person.training:
            raise TillError("in_training")
        return basket

    async def _intend(self, cashier: UUID) -> UUID:
        """A sale's id, with its intent in the journal; `cashier` still is at the till. TillError."""
        self.asking = True
        try:
            sale = await self.tap.intend()
        except JournalFailed as error:
            _log.error("journal_failed", why=str(error))
            raise TillError("journal_failed") from error
        finally:
            self.asking = False
        if self._person.who != cashier:
            await self.tap.withdraw(sale)
            raise TillError("not_signed_in")
        return sale

    def _start(self, pending: Pending | Ask, card: Card | None) -> None:
        self._settling = asyncio.get_running_loop().create_task(self._settle(pending, card))

    async def _settle(self, pending: Pending | Ask, card: Card | None) -> None:
        if isinstance(pending, Ask):
            if card is None:
                raise RuntimeError(f"act {pending.act} without a card")
            ended = await self.acts[pending.act].settle(pending, card)
        else:
            ended = await self.tap.settle(pending, card)
            if ended.again:
                _log.info("card_left", sale=str(ended.again.sale))
                self.move(self.counter.ask_again(ended.again))
                return
        self._conclude(ended)

    def _conclude(self, ended: Ended) -> None:
        """Show how a sale or an act ended."""
        result = ended.result
        if ended.row:
            self._last.add(ended.row, ended.sequence, result.asked)
        if isinstance(ended.row, SaleRow):
            self._receipts.note(result.sale, result.taken, self._last.kept)
        _log.info("tap", sale=str(result.sale), reason=result.reason, offline=result.offline)
        self.move(self.counter.conclude(result, self._clock.monotonic_ns(), ended.open))
        loop = asyncio.get_running_loop()
        for timer in self._timers:
            timer.cancel()
        # A millisecond late, so that a timer never fires just before the instant that it stands for.
        self._timers = [loop.call_later(ns / 1e9 + 0.001, self._tick) for ns in RESULT_NS]

    def _tick(self) -> None:
        self.move(self.counter.at(self._clock.monotonic_ns()))
