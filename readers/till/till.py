"""The till that the pages drive: commands from staff, events from the reader, one screen."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal
from uuid import UUID

import structlog

from app.rules.ids import uuid7
from app.rules.offline import WHOLE, percent_in_force, stopped
from app.wire import Bill, SaleRow
from app.wire.tabs import Tab
from readers.journal import Clock, Journal, JournalFailed
from readers.sync import Link
from readers.taps import CardGone, CardSeen, ReaderEvent, ReaderFound, ReaderLost, TwoCards, UnusableCard
from readers.terminal.by_hand import sale_by_hand
from readers.terminal.counter import RESULT_NS, Ask, Card, Counter, Pending
from readers.terminal.shop import Basket
from readers.terminal.view import (
    Amount,
    BasketItem,
    ByHand,
    Offer,
    PrinterShown,
    ReceiptShown,
    RestMeans,
    Screen,
    SiteShown,
    TillError,
    TillSession,
)
from readers.till.acting import Act
from readers.till.last_sales import LastSales
from readers.till.practice import PracticeTap
from readers.till.receipts import ReceiptDesk
from readers.till.session import SessionDesk
from readers.till.session_acts import SessionActs
from readers.till.shelf import SnapshotShelf
from readers.till.sold_out import SoldOutDesk
from readers.till.staff import SignIn
from readers.till.tabs import TabDesk
from readers.till.tap import Ended, Tap
from readers.till.undoing import UndoDesk

# While offline nothing else moves the screen, and the snapshot grows old; prices change by the hour.
REFRESH_S = 15.0

_log = structlog.get_logger(__name__)


class CardTill:
    """Implements readers.terminal.view.Till. Everything happens on one event loop; `tap` does the waiting."""

    def __init__(
        self,
        journal: Journal,
        shelf: SnapshotShelf,
        tap: Tap,
        link: Link,
        clock: Clock,
        staff: SignIn,
        acts: Mapping[str, Act] | None = None,
        tabs: TabDesk | None = None,
    ) -> None:
        self._journal = journal
        self._shelf = shelf
        self._real = self._tap = tap
        self._practice = PracticeTap.beside(tap)
        self._link = link
        self._clock = clock
        self._staff = staff
        self._acts = acts or {}
        self._tabs = tabs
        if tabs:
            tabs.on_paid = self._tab_paid
        self._counter = Counter()
        self._sold_out = SoldOutDesk(journal, shelf, clock, link)
        self.receipts = ReceiptDesk(shelf, journal)
        self._asking = False
        self._desk = SessionDesk(journal, shelf, clock, link)
        self.session: TillSession = SessionActs(
            self._desk, self.receipts, self._at_the_drawer, lambda: self._counter.free and not self._asking, self._bump
        )
        self._badge: UUID | None = None
        self._reader: Literal["ok", "lost"] = "lost"
        self._reader_reason: str | None = None
        self._site: SiteShown | None = None
        self._last = LastSales(journal, clock, link)
        self._undo = UndoDesk.beside(tap, self._last)
        self._revision = 0
        self._changed = asyncio.Event()
        self._timers: list[asyncio.TimerHandle] = []
        self._settling: asyncio.Task[None] | None = None
        link.on_change = self._bump
        shelf.on_change = self._restocked

    async def start(self) -> None:
        """Show what was committed before: after a crash staff see how the last sale ended."""
        await self._last.load()
        if self._shelf.shop:
            await self._desk.refresh()
        self._bump()

    async def run(self) -> None:
        """Keep the figures that only time changes up to date, until cancelled."""
        while True:
            shown = self._version
            await asyncio.sleep(REFRESH_S)
            if not self._link.online or self._version != shown:
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
        alone = shop is not None and not self._link.online
        view = self._shelf.terminal()
        return Screen(
            phase=self._counter.phase,
            venue=shop.snapshot.venue_name if shop else pairing.venue_name,
            terminal=pairing.name,
            signed_in=self._staff.who,
            online=self._link.online,
            offline_since_us=self._link.offline_since_us,
            waiting=self._journal.waiting,
            to_send=self._journal.to_send,
            reader=self._reader,
            reader_reason=self._reader_reason,
            snapshot_age_s=self._shelf.age_s,
            snapshot_stale=self._shelf.stale,
            quarantined=pairing.halted is not None,
            clock_skewed=self._clock.skewed,
            pending=_asked_for(pending),
            second_card=pending is not None and bool(pending.first),
            act=pending.act if isinstance(pending, Ask) else None,
            rights=tuple(sorted(self._rights())),
            card=self._counter.card is not None,
            badge=self._badge is not None,
            card_first=shop is not None and not shop.snapshot.till.pin_only,
            no_cards=stopped(view, shop.limits) if shop and alone else None,
            lowered=shop is not None and alone and 0 < percent_in_force(view, shop.limits) < WHOLE,
            offline_acts=tuple(name for name, act in self._acts.items() if shop and act.works_offline(shop)),
            result=self._counter.result,
            hint=self._counter.hint,
            catalogue_version=self._version,
            printer=self.receipts.shown,
            training=self.training,
            session=self._desk.shown,
            site=self._site,
            last_sales=self._last.shown(self._staff.who, self._rights()),
        )

    def catalogue(self) -> dict[str, object]:
        if (found := self._shelf.catalogue()) is not None:
            return found
        venue = self._journal.pairing.venue_name
        return {"version": "", "network": "", "venue": venue, "means": [], "currencies": [], "products": []}

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
        badge = shop.staff.get(self._badge) if self._badge else None
        if badge is None and not shop.snapshot.till.pin_only:
            raise TillError("card_first")
        await self._staff.sign_in(pin, [badge] if badge else shop.staff.values())
        self._badge = None
        self._bump()

    async def sign_out(self) -> None:
        who = self._staff.who
        self._staff.sign_out()
        # What one person left open is not for the next one to charge.
        if self._counter.open:
            await self.dismiss()
        self._bump()
        if self._counter.phase == "present_card":
            await self.cancel()
        if self.training and who and self._counter.free:
            # The next person sells for real, unless they say otherwise.
            await self._switch(False, who)

    async def pay(self, items: list[BasketItem], currency: str, bill: Bill | None = None) -> UUID:
        cashier = self._signed_in()
        basket = await self._basket(items, currency, bill)
        sale = await self._intend(cashier)
        self._move(self._counter.ask(Pending(sale, basket, cashier, asked=sale)))
        return sale

    async def take(self, items: list[BasketItem], currency: str, how: ByHand, bill: Bill | None = None) -> UUID:
        cashier = self.require("gift_house" if how.means == "house" else None)
        if self._journal.pairing.halted:
            raise TillError("not_allowed")
        basket = await self._basket(items, currency, bill)
        sale = sale_by_hand(basket, how, uuid7(), cashier, self._clock.now_us())
        self._asking = True
        try:
            ended = await self._tap.take(sale)
        except JournalFailed as error:
            _log.error("journal_failed", sale=str(sale.id), why=str(error))
            raise TillError("journal_failed") from error
        finally:
            self._asking = False
        self._conclude(ended)
        return sale.id

    async def _basket(self, items: list[BasketItem], currency: str, bill: Bill | None) -> Basket:
        """What is to be paid, if it may be sold now. TillError."""
        shop = self._shelf.shop
        if self._asking or not self._counter.free:
            raise TillError("busy")
        if shop is None:
            raise TillError("no_snapshot")
        if self._journal.pairing.halted == "behind":
            # Each row written now would make the fork longer.
            raise TillError("journal_failed")
        if any(item.kind == "open" for item in items):
            self.require("open_price")
        await self._desk.allow_sale()
        return shop.basket(items, currency, self._clock.now_us(), bill)

    async def set_sold_out(self, product: UUID, sold_out: bool) -> None:
        await self._sold_out.say(self._at_the_drawer("sold_out"), product, sold_out)
        self._bump()

    async def act(self, name: str, wish: Mapping[str, object]) -> UUID:
        act, shop = self._acts.get(name), self._shelf.shop
        if act is None:
            raise TillError("unknown_act")
        cashier = self.require(act.right)
        if self._asking or not self._counter.free:
            raise TillError("busy")
        if shop is None:
            raise TillError("no_snapshot")
        if not self._link.online and not act.works_offline(shop):
            raise TillError("only_online")
        if act.journalled and self._journal.pairing.halted:
            raise TillError("journal_failed" if self._journal.pairing.halted == "behind" else "not_allowed")
        if self.training and not act.looks:
            raise TillError("in_training")
        content, shown = act.prepare(shop, wish)
        id_ = await self._intend(cashier) if act.journalled else uuid7()
        self._move(self._counter.ask(Ask(id_, name, content, cashier, shown, act.journalled, act.looks)))
        return id_

    async def complete(self, offer: Offer) -> None:
        cashier, open_, result = self._signed_in(), self._counter.open, self._counter.result
        if self._asking:
            raise TillError("busy")
        if open_ is None or result is None or offer not in result.offers:
            raise TillError("not_offered")
        sale = await self._intend(cashier)
        if self._counter.open is not open_:
            # Put away while the intent was written: nobody waits for it any more.
            await self._tap.withdraw(sale)
            raise TillError("not_offered")
        pending = replace(open_, sale=sale, cashier=cashier)
        if offer == "second_card":
            self._move(self._counter.ask(pending))
        else:
            pending = replace(pending, rest=offer)
            self._move(self._counter.go_on(pending))
            self._start(pending, None)

    async def cancel(self) -> None:
        pending = self._counter.pending
        if self._counter.phase == "checking":
            raise TillError("busy")
        if pending is None:
            return
        # First the state, then the journal: a card that comes meanwhile must find nothing to pay.
        self._move(self._counter.withdraw())
        if not isinstance(pending, Ask) or pending.journalled:
            await self._tap.withdraw(pending.sale)
        self._bump()

    async def dismiss(self) -> None:
        self._move(self._counter.dismiss())

    async def void(self, sale: UUID, reason: str) -> None:
        try:
            await self._undo.void(self._tap, sale, reason, self._signed_in(), self._rights())
        finally:
            self._bump()

    # Tabs

    async def tabs(self) -> tuple[Tab, ...]:
        return await self._tab_desk().open_tabs()

    async def add_to_tab(self, tab: UUID, items: list[BasketItem], round_: UUID) -> None:
        await self._tab_desk().add(tab, items, self.require("sell"), round_)

    async def close_tab(self, tab: UUID, rest: RestMeans | None) -> UUID | None:
        sale = await self._tab_desk().close(tab, self.require("sell"), rest)
        return None if sale is None else sale.id

    def _tab_desk(self) -> TabDesk:
        self.require("sell")
        if self.training:
            raise TillError("in_training")
        if self._tabs is None:
            raise TillError("unknown_act")
        return self._tabs

    def _tab_paid(self, row: SaleRow, sequence: int) -> None:
        """A tab that was paid is one of the last sales like any other."""
        self._last.add(row, sequence, row.sale.id, real=True)
        self._bump()

    @property
    def training(self) -> bool:
        return self._tap is self._practice

    async def train(self, on: bool) -> None:
        cashier = self._signed_in()
        if on and "train" not in self._rights():
            raise TillError("no_right")
        settling = self._settling is not None and not self._settling.done()
        if self._asking or settling or not self._counter.free or self._counter.open:
            raise TillError("busy")
        if on != self.training:
            await self._switch(on, cashier)

    async def _switch(self, on: bool, cashier: UUID) -> None:
        """To the training or back. What was practised is forgotten on the screen; the journal has it, marked."""
        self._asking = True
        try:
            await (self._practice.begin(cashier) if on else self._practice.end())
        except JournalFailed as error:
            _log.error("journal_failed", why=str(error))
            raise TillError("journal_failed") from error
        finally:
            self._asking = False
        self._counter = self._counter.dismiss()
        self._last.practise(on)
        self._tap = self._practice if on else self._real
        self.receipts.training = on
        _log.info("training", on=on)
        self._bump()

    def receipt(self, sale: UUID, language: Literal["fr", "en"]) -> ReceiptShown:
        return self.receipts.shown_for(self._last.one(sale), language)

    async def print_receipt(self, sale: UUID, language: Literal["fr", "en"]) -> None:
        self._signed_in()
        self.receipts.print(self._last.one(sale), language)

    def on_site(self, site: SiteShown | None) -> None:
        """Who shares with this till at its site."""
        self._site = site
        self._bump()

    def on_printer(self, state: PrinterShown) -> None:
        """What the printer says of itself, on the event loop."""
        self.receipts.shown = state
        self._bump()

    # What happens on the reader

    def on_reader(self, event: ReaderEvent) -> None:
        """An event of the card reader, on the event loop."""
        match event:
            case CardSeen(uid, assurance):
                self._recognise(uid.hex().upper())
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

    def _recognise(self, uid: str) -> None:
        """While nobody is signed in, a staff card says whose PIN is asked for; it may leave the reader meanwhile."""
        shop = self._shelf.shop
        if self._staff.who is None and shop:
            self._badge = next((person.id for person in shop.staff.values() if person.card == uid), None)
            self._bump()

    async def _intend(self, cashier: UUID) -> UUID:
        """A sale's id, with its intent in the journal; `cashier` still is at the till. TillError."""
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
        return sale

    def require(self, right: str | None) -> UUID:
        """Who is signed in, if they have this right (None: anybody has). The one place where rights of staff are
        checked on this side. TillError: not_signed_in, no_right."""
        who = self._signed_in()
        if right is not None and right not in self._rights():
            raise TillError("no_right")
        return who

    def _rights(self) -> frozenset[str]:
        shop = self._shelf.shop
        person = shop.staff.get(self._staff.who) if shop and self._staff.who else None
        return frozenset(person.rights) if person else frozenset()

    def _at_the_drawer(self, right: str | None) -> UUID:
        """As `require`; nobody practises with the money of the house."""
        if self.training:
            raise TillError("in_training")
        return self.require(right)

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
            self._start(pending, card)
        self._bump()

    def _start(self, pending: Pending | Ask, card: Card | None) -> None:
        self._settling = asyncio.get_running_loop().create_task(self._settle(pending, card))

    async def _settle(self, pending: Pending | Ask, card: Card | None) -> None:
        if isinstance(pending, Ask):
            if card is None:
                raise RuntimeError(f"act {pending.act} without a card")
            ended = await self._acts[pending.act].settle(pending, card)
        else:
            ended = await self._tap.settle(pending, card)
        self._conclude(ended)

    def _conclude(self, ended: Ended) -> None:
        """Show how a sale or an act ended."""
        result = ended.result
        if ended.row:
            self._last.add(ended.row, ended.sequence, result.asked)
        if isinstance(ended.row, SaleRow):
            self.receipts.note(result.sale, result.taken, self._last.kept)
        _log.info("tap", sale=str(result.sale), reason=result.reason, offline=result.offline)
        self._move(self._counter.conclude(result, self._clock.monotonic_ns(), ended.open))
        loop = asyncio.get_running_loop()
        for timer in self._timers:
            timer.cancel()
        # A millisecond late, so that a timer never fires just before the instant that it stands for.
        self._timers = [loop.call_later(ns / 1e9 + 0.001, self._tick) for ns in RESULT_NS]

    def _tick(self) -> None:
        self._move(self._counter.at(self._clock.monotonic_ns()))

    def _restocked(self) -> None:
        shop = self._shelf.shop
        if shop and self._staff.who not in (None, *shop.staff):
            self._staff.sign_out()
            if self._counter.open:
                self._counter = self._counter.dismiss()
        self._bump()

    @property
    def _version(self) -> str:
        """Of what is sold at this instant."""
        return str(self.catalogue()["version"])

    def _bump(self) -> None:
        self._revision += 1
        self._changed.set()
        self._changed = asyncio.Event()


def _asked_for(pending: Pending | Ask | None) -> tuple[Amount, ...]:
    if pending is None:
        return ()
    return pending.amounts if isinstance(pending, Ask) else pending.missing or pending.basket.amounts
