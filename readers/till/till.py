"""The till that the pages drive: commands from staff, events from the reader, one screen."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Literal
from uuid import UUID

import structlog

from app.rules.offline import WHOLE, percent_in_force, stopped
from app.wire import Bill, Means, SaleRow
from app.wire.tabs import Tab
from readers.journal import Clock, Journal
from readers.sync import Link
from readers.sync.door import DoorFeed
from readers.sync.tickets import TicketFeed
from readers.taps import CardGone, CardSeen, ReaderEvent, ReaderFound, ReaderLost, TwoCards, UnusableCard
from readers.terminal.commands import Door, TillError, TillSession
from readers.terminal.counter import Ask, Card
from readers.terminal.door import DoorBook
from readers.terminal.view import (
    BasketItem,
    ByHand,
    Offer,
    PrinterShown,
    ReceiptShown,
    Screen,
    SiteShown,
)
from readers.till.acting import Act
from readers.till.door import DoorDesk
from readers.till.last_sales import LastSales
from readers.till.person import Person
from readers.till.receipts import ReceiptDesk
from readers.till.selling import Selling
from readers.till.session import SessionDesk
from readers.till.session_acts import SessionActs
from readers.till.shelf import SnapshotShelf
from readers.till.sold_out import SoldOutDesk
from readers.till.staff import SignIn
from readers.till.tabs import TabDesk
from readers.till.tap import Tap
from readers.till.training import Training
from readers.till.undoing import UndoDesk

# While offline nothing else moves the screen, and the snapshot grows old; prices change by the hour.
REFRESH_S = 15.0

_log = structlog.get_logger(__name__)


class CardTill:
    """Implements readers.terminal.commands.Till. Everything happens on one event loop; `tap` does the waiting."""

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
        feed: DoorFeed | None = None,
        lent: TicketFeed | None = None,
    ) -> None:
        self._journal = journal
        self._shelf = shelf
        self._link = link
        self._clock = clock
        self._person = Person(staff, shelf)
        self._tabs = tabs
        if tabs:
            tabs.on_paid = self._tab_paid
        self._sold_out = SoldOutDesk(journal, shelf, clock, link)
        self.receipts = ReceiptDesk(shelf, journal)
        self._desk = SessionDesk(journal, shelf, clock, link)
        self._last = LastSales(journal, clock, link)
        self._undo = UndoDesk.beside(tap, self._last)
        self._selling = Selling(
            tap,
            acts or {},
            self._person,
            self._desk,
            self._last,
            self.receipts,
            journal,
            shelf,
            link,
            clock,
            self._bump,
        )
        self.session: TillSession = SessionActs(
            self._desk, self.receipts, self._person.require_at_drawer, lambda: self._selling.free, self._bump
        )
        self._training = Training(tap, self._selling, self._person, self._last, self.receipts)
        self._door = DoorDesk(
            feed.book if feed else DoorBook(),
            journal,
            link,
            clock,
            self._at_the_door,
            self._bump,
            lambda uid: shelf.shop.memberships(uid, clock.now_us()) if shelf.shop else (),
        )
        if feed:
            feed.on_change = self._bump
        if lent:
            lent.on_change, lent.may_give_back = self._bump, lambda: self._selling.idle
        self._at_door: set[asyncio.Task[None]] = set()
        self._reader: Literal["ok", "lost"] = "lost"
        self._reader_reason: str | None = None
        self._site: SiteShown | None = None
        self._revision = 0
        self._changed = asyncio.Event()
        link.on_change = self._bump
        shelf.on_change = self._restocked

    async def start(self) -> None:
        """Show what was committed before: after a crash staff see how the last sale ended."""
        await self._last.load()
        await self._shelf.credits.load()
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
        await self._selling.close()

    # What the pages see

    def screen(self) -> Screen:
        pairing, shop = self._journal.pairing, self._shelf.shop
        counter, acts = self._selling.counter, self._selling.acts
        pending = counter.pending
        alone = shop is not None and not self._link.online
        view = self._shelf.terminal()
        return Screen(
            phase=counter.phase,
            venue=shop.snapshot.venue_name if shop else pairing.venue_name,
            terminal=pairing.name,
            signed_in=self._person.who,
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
            pending=self._selling.asked_for,
            second_card=pending is not None and bool(pending.first),
            act=pending.act if isinstance(pending, Ask) else None,
            rights=tuple(sorted(self._person.rights)),
            card=counter.card is not None,
            badge=self._person.badge,
            card_first=shop is not None and not shop.snapshot.till.pin_only,
            no_cards=stopped(view, shop.limits) if shop and alone else None,
            lowered=shop is not None and alone and 0 < percent_in_force(view, shop.limits) < WHOLE,
            offline_acts=tuple(name for name, act in acts.items() if shop and act.works_offline(shop)),
            result=counter.result,
            hint=counter.hint,
            catalogue_version=self._version,
            printer=self.receipts.shown,
            training=self.training,
            session=self._desk.shown,
            site=self._site,
            last_sales=self._last.shown(self._person.who, self._person.rights),
            door=self._door.shown(),
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
        await self._person.sign_in(pin)
        self._bump()

    async def sign_out(self) -> None:
        who = self._person.who
        self._person.sign_out()
        self._door.close()
        # What one person left open is not for the next one to charge.
        if self._selling.counter.open:
            await self.dismiss()
        self._bump()
        if self._selling.counter.phase == "present_card":
            await self.cancel()
        if who:
            await self._training.end(who)
            self._bump()

    async def pay(self, items: list[BasketItem], currency: str, bill: Bill | None = None) -> UUID:
        return await self._selling.pay(items, currency, bill)

    async def take(self, items: list[BasketItem], currency: str, how: ByHand, bill: Bill | None = None) -> UUID:
        return await self._selling.take(items, currency, how, bill)

    async def set_sold_out(self, product: UUID, sold_out: bool) -> None:
        await self._sold_out.say(self._person.require_at_drawer("sold_out"), product, sold_out)
        self._bump()

    async def act(self, name: str, wish: Mapping[str, object]) -> UUID:
        return await self._selling.act(name, wish)

    async def complete(self, offer: Offer) -> None:
        await self._selling.complete(offer)

    async def cancel(self) -> None:
        await self._selling.cancel()

    async def dismiss(self) -> None:
        self._selling.move(self._selling.counter.dismiss())

    async def void(self, sale: UUID, reason: str) -> None:
        try:
            await self._undo.void(self._selling.tap, sale, reason, self._person.signed_in(), self._person.rights)
        finally:
            self._bump()

    # Tabs

    async def tabs(self) -> tuple[Tab, ...]:
        return await self._tab_desk().open_tabs()

    async def add_to_tab(self, tab: UUID, items: list[BasketItem], round_: UUID) -> None:
        await self._tab_desk().add(tab, items, self._person.require("sell"), round_)

    async def close_tab(self, tab: UUID, rest: Means | None, reason: str = "") -> UUID | None:
        cashier = self._person.require("gift_house" if rest == "house" else "sell")
        sale = await self._tab_desk().close(tab, cashier, rest, reason.strip())
        return None if sale is None else sale.id

    def _tab_desk(self) -> TabDesk:
        self._person.require("sell")
        if self.training:
            raise TillError("in_training")
        if self._tabs is None:
            raise TillError("unknown_act")
        return self._tabs

    def _tab_paid(self, row: SaleRow, sequence: int) -> None:
        """A tab that was paid is one of the last sales like any other."""
        self._last.add(row, sequence, row.sale.id, real=True)
        self._bump()

    # The door

    @property
    def door(self) -> Door:
        return self._door

    def _at_the_door(self) -> UUID:
        return self._person.require_at_drawer("sell")

    # Training

    @property
    def training(self) -> bool:
        return self._training.on

    async def train(self, on: bool) -> None:
        await self._training.switch(on)
        self._bump()

    # Receipts

    def receipt(self, sale: UUID, language: Literal["fr", "en"]) -> ReceiptShown:
        if (made := self._last.top_up(sale)) is not None:
            return self.receipts.shown_for_top_up(made, language)
        return self.receipts.shown_for(self._last.one(sale), language)

    async def print_receipt(self, sale: UUID, language: Literal["fr", "en"]) -> None:
        self._person.signed_in()
        if (made := self._last.top_up(sale)) is not None:
            await self.receipts.print_top_up(made, language)
            return
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
            case CardSeen(uid, _) if self._door.on:
                task = asyncio.get_running_loop().create_task(self._door.card(uid.hex().upper()))
                self._at_door.add(task)
                task.add_done_callback(self._at_door.discard)
            case CardSeen(uid, assurance):
                if self._person.recognise(uid.hex().upper()):
                    self._bump()
                self._selling.move(self._selling.counter.seen(Card(uid.hex().upper(), assurance)))
            case CardGone():
                self._selling.move(self._selling.counter.gone(self._clock.monotonic_ns()))
            case UnusableCard():
                self._selling.move(self._selling.counter.troubled("unusable_card"))
            case TwoCards():
                self._selling.move(self._selling.counter.troubled("two_cards"))
            case ReaderFound():
                self._reader, self._reader_reason = "ok", None
                self._bump()
            case ReaderLost(reason):
                self._reader, self._reader_reason = "lost", reason
                self._bump()

    # Within

    def _restocked(self) -> None:
        if not self._person.still_known() and self._selling.counter.open:
            self._selling.counter = self._selling.counter.dismiss()
        self._bump()

    @property
    def _version(self) -> str:
        """Of what is sold at this instant."""
        return str(self.catalogue()["version"])

    def _bump(self) -> None:
        self._revision += 1
        self._changed.set()
        self._changed = asyncio.Event()
