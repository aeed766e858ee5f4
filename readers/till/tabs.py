"""Tabs at the till: the server keeps them; here they are shown, added to and paid while the terminal is online.

A tab that was paid becomes a sale row of this terminal like any other, so that its receipt, its void and the till's
figures need nothing of their own. Where a crash came between, the server names the rows that are missing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID

from app.rules.ids import uuid7
from app.rules.offline import Assurance
from app.wire import Means, Rest, Sale, SaleLine, SaleRow, Tender
from app.wire.tabs import AddToTab, CloseTab, OpenTab, Tab, TabClosed, TabItem, Tabs
from readers.journal import Clock, Journal, JournalFailed
from readers.sync import Link, Rejected, Server, Unreachable
from readers.terminal.commands import TillError
from readers.terminal.view import BasketItem
from readers.till.shelf import SnapshotShelf

# What the server says that staff read in words of the till; anything else is "tab_refused".
_REASONS = {
    "tab-over-hold": "tab_over_hold",
    "tab-closed": "tab_closed",
    "tab-changed": "tab_changed",
    "not-on-tab": "tab_changed",
    "insufficient-funds": "tab_funds",
    "hold-ended": "tab_over_hold",
    "card-blocked": "tab_blocked",
    "card-not-proven": "tab_not_proven",
    "spending-limit": "tab_funds",
}

M = TypeVar("M", Tab, Tabs, TabClosed)


class TabDesk:
    """`on_paid` is told the row of a tab that was paid here, and its place in the journal."""

    def __init__(self, journal: Journal, shelf: SnapshotShelf, server: Server, link: Link, clock: Clock) -> None:
        self._journal = journal
        self._shelf = shelf
        self._server = server
        self._link = link
        self._clock = clock
        self.on_paid: Callable[[SaleRow, int], None] = lambda _row, _sequence: None

    async def open_tabs(self) -> tuple[Tab, ...]:
        """The venue's open tabs. TillError: only_online, tab_no_answer."""
        found = await self._ask("GET", "/api/v1/tabs", None, Tabs)
        for sale in found.paid_here:
            # Written already, it only waits to be sent.
            if await self._journal.booking(sale.id) is None:
                await self._note(sale)
        return found.tabs

    async def open(self, wanted: OpenTab) -> Tab:
        """Rejected, Unreachable."""
        return await self._server.ask("POST", "/api/v1/tabs", self._device, wanted, Tab)

    async def add(self, tab: UUID, items: list[BasketItem], cashier: UUID, round_: UUID) -> Tab:
        """TillError: tab_plain, no_price, tab_closed, tab_no_answer, ..."""
        shop = self._shelf.shop
        if shop is None:
            raise TillError("no_snapshot")
        it = await self.one(tab)
        lines = shop.basket(items, it.currency, self._clock.now_us()).lines
        if any(line.kind is not None or line.currency != it.currency for line in lines):
            raise TillError("tab_plain")
        more = tuple(
            TabItem(product=line.product, name=line.name, quantity=line.quantity, unit_price=line.unit_price)
            for line in lines
        )
        return await self._ask(
            "POST", f"/api/v1/tabs/{tab}/items", AddToTab(id=round_, items=more, cashier=cashier), Tab
        )

    async def close(self, tab: UUID, cashier: UUID, rest: Means | None, reason: str = "") -> Sale | None:
        """Pay a tab from what is set aside; what goes beyond it by `rest`. None: nothing was on it. `reason`: why the
        house gives the rest.

        TillError: tab_over_hold (a card or the venue's own till must pay the rest), not_offered (the venue is not paid
        that way), reason_needed, card_only (what is not priced in euros is not given), tab_changed, tab_no_answer, ...
        """
        shop, house = self._shelf.shop, rest == "house"
        if rest is not None and (shop is None or not (house or rest in shop.snapshot.means)):
            raise TillError("not_offered")
        if house and not reason:
            raise TillError("reason_needed")
        it = await self.one(tab)
        if not it.items:
            await self._ask("POST", f"/api/v1/tabs/{tab}/close", CloseTab(sale=None), TabClosed)
            return None
        beyond = it.total - it.held
        if beyond > 0 and (rest is None or not it.held):
            raise TillError("tab_over_hold")
        if rest is not None and beyond > 0 and shop and not shop.in_euros(it.currency):
            raise TillError("card_only")
        paid = (Rest(means=rest, covers=it.currency, amount=beyond),) if beyond > 0 and rest else ()
        tenders = (Tender(currency=it.currency, amount=it.total - sum(one.amount for one in paid)),)
        sale = self._sale(it, cashier, it.card, tenders, paid, reason=reason if house and paid else None)
        await self._ask("POST", f"/api/v1/tabs/{tab}/close", CloseTab(sale=sale), TabClosed)
        await self._note(sale)
        return sale

    async def pay_rest(
        self, it: Tab, sale: UUID, cashier: UUID, card: str, assurance: Assurance = "C"
    ) -> tuple[Sale, TabClosed]:
        """Pay a tab with a card that was presented for what goes beyond what is set aside. Rejected, Unreachable,
        JournalFailed."""
        first, beyond = min(it.held, it.total), max(0, it.total - it.held)
        if card == it.card or not first:
            tenders: tuple[Tender, ...] = (Tender(currency=it.currency, amount=it.total),)
        else:
            tenders = (
                Tender(currency=it.currency, amount=first),
                Tender(currency=it.currency, amount=beyond, card=card),
            )
        made = self._sale(it, cashier, it.card if first else card, tenders, (), sale)
        read = {"assurance": assurance} if made.card == card else {"other_assurance": {card: assurance}}
        made = made.model_copy(update=read)
        path = f"/api/v1/tabs/{it.id}/close"
        closed = await self._server.ask("POST", path, self._device, CloseTab(sale=made, presented=True), TabClosed)
        await self._note(made)
        return made, closed

    async def one(self, tab: UUID) -> Tab:
        """TillError: tab_closed for one that is no longer open."""
        found = next((it for it in await self.open_tabs() if it.id == tab), None)
        if found is None:
            raise TillError("tab_closed")
        return found

    @property
    def _device(self) -> UUID:
        return self._journal.pairing.device

    def _sale(
        self,
        it: Tab,
        cashier: UUID,
        card: str,
        tenders: tuple[Tender, ...],
        rest: tuple[Rest, ...],
        id_: UUID | None = None,
        reason: str | None = None,
    ) -> Sale:
        shop = self._shelf.shop
        lines = tuple(
            SaleLine(
                product=item.product,
                name=item.name,
                quantity=item.quantity,
                unit_price=item.unit_price,
                currency=it.currency,
                category=shop.category(item.product) if shop else None,
                vat=shop.vat(item.product) if shop else None,
            )
            for item in it.items
        )
        return Sale(
            id=id_ or uuid7(),
            card=card,
            cashier=cashier,
            lines=lines,
            tenders=tenders,
            rest=rest,
            reason=reason,
            occurred_at_us=self._clock.now_us(),
        )

    async def _note(self, sale: Sale) -> None:
        """The row of a tab that the server booked. What can't be written now, the next look at the tabs writes."""
        row = SaleRow(mode="online", sale=sale)
        try:
            sequence = await self._journal.append(row)
        except JournalFailed as error:
            raise TillError("tab_not_noted") from error
        self._shelf.add(sequence, row)
        self._link.want_sync()
        self.on_paid(row, sequence)

    async def _ask(self, method: str, path: str, body: AddToTab | CloseTab | None, model: type[M]) -> M:
        if not self._link.online:
            raise TillError("only_online")
        try:
            return await self._server.ask(method, path, self._device, body, model)
        except Rejected as error:
            raise TillError(_REASONS.get(error.problem.name, "tab_refused")) from error
        except Unreachable as error:
            raise TillError("tab_no_answer") from error
