"""One tap: from a card on the reader to a result that is durably in the journal (terminal.md, "A tap, online and not").

A result without a reason is green, and is only ever returned after its sale row was committed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

import structlog

from app.rules.ids import uuid7
from app.rules.offline import Accept, Refusal, Refuse
from app.wire import CancelRow, CardActRow, IntentRow, RefusedRow, Sale, SaleRow, VoidRow
from readers.journal import Clock, Journal, JournalFailed
from readers.sync import Booked, Declined, Link, NoAnswer, Server
from readers.terminal.counter import Card, Held, Pending
from readers.terminal.receipt import Balances, amounts, price, taken
from readers.terminal.split import Split, offers, split
from readers.terminal.view import Result
from readers.till.alone import Alone
from readers.till.carrying import Carrying
from readers.till.shelf import SnapshotShelf

_log = structlog.get_logger(__name__)

# So many times another row may come between the card and the sale's; then the card is asked for anew.
ROWS_BETWEEN_MAX = 3
# How long after it failed the journal is tried again for a cancel that is owed.
OWED_S = 1.0
# Refusals for want of money: staff may take the rest themselves, or ask for a second card.
_TOO_LITTLE = {
    Refusal.INSUFFICIENT_FUNDS,
    Refusal.SPENDING_LIMIT,
    Refusal.OVER_SALE_LIMIT,
    Refusal.OVER_CARD_LIMIT,
    Refusal.OVER_TERMINAL_LIMIT,
}
# Refusals that say that this terminal's prices or rules are not the newest.
_OUTDATED = {Refusal.PRICE_CHANGED, Refusal.CURRENCY_NOT_ACCEPTED, Refusal.TENDER_NOT_ALLOWED}


@dataclass(frozen=True, slots=True)
class TapSettings:
    """`deadline_s`: how long a customer waits for the server before the terminal decides alone (terminal.md)."""

    deadline_s: float = 0.4


@dataclass(frozen=True, slots=True)
class Ended:
    """How a tap ended. `row` is what was committed of a green one, `sequence` its place in the journal, and `open` what
    may still be done about a red one. `again`: nothing was decided, for the card left: this waits for it now."""

    result: Result
    row: SaleRow | CardActRow | None = None
    sequence: int = 0
    open: Pending | None = None
    again: Pending | None = None


@dataclass(slots=True)
class Try:
    """A basket on its way through the tap: the cards that pay it, and how. It is split anew at most once. `laid`: the
    last of the cards was just laid down for it."""

    pending: Pending
    held: tuple[Held, ...]
    parts: Split
    anew: bool = False
    laid: bool = True


class Tap:
    """Settles sales one after the other. `owed` are sales to cancel whose cancel row could not be written yet."""

    def __init__(
        self,
        journal: Journal,
        shelf: SnapshotShelf,
        server: Server,
        link: Link,
        clock: Clock,
        settings: TapSettings,
        carrying: Carrying | None = None,
    ) -> None:
        self._journal = journal
        self._shelf = shelf
        self._server = server
        self._link = link
        self._clock = clock
        self._settings = settings
        self._alone = Alone(shelf, carrying)
        self._owed: list[UUID] = []
        self._owes = asyncio.Event()

    async def run(self) -> None:
        """Take back what is owed as soon as the journal can be written, whether somebody sells or not, until
        cancelled: the server may have charged somebody whose light was red."""
        while True:
            await self._owes.wait()
            await asyncio.sleep(OWED_S)
            with contextlib.suppress(JournalFailed):
                await self.write_owed()
                self._link.want_sync()

    async def intend(self) -> UUID:
        """Make a sale's id and commit it, before any card is asked for. JournalFailed."""
        sale = uuid7()
        await self.write_owed()
        await self._journal.append(IntentRow(sale=sale, at_us=self._clock.now_us()))
        self._link.want_sync()
        return sale

    async def take(self, sale: Sale) -> Ended:
        """A sale that no card pays: it stands once it is in the journal. JournalFailed."""
        row = SaleRow(mode="offline", sale=sale)
        sequence = await self._journal.append(row)
        self._shelf.add(sequence, row)
        self._link.want_sync()
        return Ended(by_hand(sale), row, sequence)

    async def withdraw(self, sale: UUID) -> None:
        """Cancel a sale whose light did not turn green; owed if the journal can't be written now."""
        try:
            await self._journal.append(CancelRow(id=uuid7(), sale=sale, at_us=self._clock.now_us()))
        except JournalFailed as error:
            _log.error("journal_failed", sale=str(sale), why=str(error))
            self._owe(sale)
        self._link.want_sync()

    async def void(self, row: VoidRow, sale: SaleRow) -> None:
        """Undo a sale of this terminal. JournalFailed."""
        sequence = await self._journal.append(row)
        self._shelf.add(sequence, row, sale)
        self._link.want_sync()

    async def settle(self, pending: Pending, card: Card | None) -> Ended:
        """Ask the server, or decide alone. `card` was just presented; None: the cards of `pending.first` pay.

        Never raises: what can't be written is refused, and so is what a fault of ours stopped.
        """
        held = pending.first
        if card:
            held = (*held, Held(card, self._available(card.uid)))
        it = Try(pending, held, Split((), (), {}), laid=card is not None)
        try:
            it.parts = split(pending.basket, held, pending.rest)
            return await self._settle(it)
        except JournalFailed as error:
            _log.error("journal_failed", sale=str(it.pending.sale), why=str(error))
            # The server may have booked it, and nobody was shown a green light.
            self._owe(it.pending.sale)
            return Ended(self._result(it, Refusal.JOURNAL_FAILED, offline=not self._link.online))
        except Exception:
            # A fault of ours: no green light, so whatever was booked is taken back.
            _log.exception("tap_failed", sale=str(it.pending.sale))
            await self.withdraw(it.pending.sale)
            return Ended(self._result(it, Refusal.INVALID, offline=False))
        finally:
            self._link.want_sync()

    def _owe(self, sale: UUID) -> None:
        self._owed.append(sale)
        self._owes.set()

    async def write_owed(self) -> None:
        """Write the cancels that are owed. JournalFailed: they still are."""
        owed, self._owed = self._owed, []
        try:
            if owed:
                now_us = self._clock.now_us()
                await self._journal.append(*(CancelRow(id=uuid7(), sale=sale, at_us=now_us) for sale in owed))
        except BaseException:
            # Of two who write at once, neither writes what the other has in hand.
            self._owed = owed + self._owed
            raise
        if not self._owed:
            self._owes.clear()

    async def _settle(self, it: Try) -> Ended:
        if self._journal.pairing.halted:
            return await self._refuse(it, Refusal.TERMINAL_HALTED, offline=not self._link.online)
        if not it.parts.paid_by_cards:
            return await self._refuse(it, Refusal.INSUFFICIENT_FUNDS, offline=not self._link.online)
        sale = self._sale(it)
        if not self._link.online:
            return await self._decide(it, sale, asked=False)
        match await self._server.sell(sale, self._journal.pairing.device, self._settings.deadline_s):
            case Booked(reply):
                left = {sale.card: reply.balances, **reply.other_cards}
                return await self._commit(it, SaleRow(mode="online", sale=sale), left)
            case Declined(reason, balances):
                if reason in _OUTDATED:
                    self._link.want_snapshot()
                if balances and await self._split_anew(it, reason, balances):
                    return await self._settle(it)
                return await self._refuse(it, reason, offline=False)
            case NoAnswer():
                self._link.lost()
                return await self._decide(it, sale, asked=True)

    async def _split_anew(self, it: Try, reason: Refusal, balances: Balances) -> bool:
        """Learn from the server's refusal what the cards hold. Whether the basket can be paid by them after all.

        Once only, and never with another rest than staff were told to take. The refusal is remembered under the
        sale's id, so the new split has one of its own.
        """
        it.held = tuple(replace(one, available={**one.available, **balances.get(one.card.uid, {})}) for one in it.held)
        parts = split(it.pending.basket, it.held, it.pending.rest)
        if it.anew or parts.missing or parts.rest != it.parts.rest:
            return False
        now_us, before = self._clock.now_us(), it.pending.sale
        sale = uuid7()
        refused = RefusedRow(sale=before, card=it.held[0].card.uid, reason=reason, at_us=now_us)
        await self._journal.append(refused, IntentRow(sale=sale, at_us=now_us))
        it.pending, it.parts, it.anew = replace(it.pending, sale=sale), parts, True
        return True

    async def _decide(self, it: Try, sale: Sale, *, asked: bool) -> Ended:
        """By this terminal's limits. `asked`: the server may have booked the sale, so a refusal here takes it back."""
        for _ in range(ROWS_BETWEEN_MAX):
            head = self._journal.head
            match await self._alone.verdict(it.held, sale, head + 1):
                case Accept(unbacked), carried:
                    row = SaleRow(mode="offline", sale=sale, unbacked=dict(unbacked))
                    if not carried:
                        return await self._commit(it, row, None)
                    # The card names the row that it is about.
                    sequence = await self._journal.append_at(head, row)
                    if sequence is not None:
                        return self._committed(it, row, sequence, None)
                case Refuse(reason), _:
                    return await self._refuse(it, reason, offline=True, cancel=asked)
                case None:
                    break
        if not it.laid:
            return await self._refuse(it, Refusal.CARD_LEFT, offline=True, cancel=asked)
        if asked:
            # The server may have booked it on this card, and the next one to be laid down may be another's.
            now_us, before, sale_id = self._clock.now_us(), it.pending.sale, uuid7()
            cancel = CancelRow(id=uuid7(), sale=before, at_us=now_us)
            await self._journal.append(cancel, IntentRow(sale=sale_id, at_us=now_us))
            it.pending = replace(it.pending, sale=sale_id)
        return Ended(self._result(it, Refusal.CARD_LEFT, offline=True), again=it.pending)

    async def _commit(self, it: Try, row: SaleRow, left: Balances | None) -> Ended:
        return self._committed(it, row, await self._journal.append(row), left)

    def _committed(self, it: Try, row: SaleRow, sequence: int, left: Balances | None) -> Ended:
        self._shelf.add(sequence, row)
        if left is None:
            left = {uid: self._available(uid) for uid in row.sale.cards}
        result = self._result(it, None, offline=row.mode == "offline", left=left[row.sale.card])
        return Ended(replace(result, taken=taken(row.sale, left)), row, sequence)

    async def _refuse(self, it: Try, reason: Refusal, *, offline: bool, cancel: bool = False) -> Ended:
        await self._remember_refusal(it, reason, cancel=cancel)
        left = it.held[0].available if reason is Refusal.INSUFFICIENT_FUNDS else None
        result = self._result(it, reason, offline=offline, left=left)
        # A second card that can't pay at all leaves the first one's part as it was.
        held = it.held if reason in _TOO_LITTLE else it.pending.first
        offered = offers(it.pending.basket, held) if held else ()
        if not offered:
            return Ended(result)
        missing = amounts(split(it.pending.basket, held).missing)
        open_ = replace(it.pending, first=held, rest=None, missing=missing)
        return Ended(replace(result, missing=missing, offers=offered), open=open_)

    async def _remember_refusal(self, it: Try, reason: Refusal, *, cancel: bool) -> None:
        now_us, sale, card = self._clock.now_us(), it.pending.sale, it.held[-1].card.uid
        rows: list[RefusedRow | CancelRow] = [RefusedRow(sale=sale, card=card, reason=reason, at_us=now_us)]
        if cancel:
            rows.append(CancelRow(id=uuid7(), sale=sale, at_us=now_us))
        await self._journal.append(*rows)

    def _sale(self, it: Try) -> Sale:
        first = it.held[0].card
        return Sale(
            id=it.pending.sale,
            card=first.uid,
            assurance=first.assurance,
            other_assurance={it.card.uid: it.card.assurance for it in it.held[1:]},
            cashier=it.pending.cashier,
            lines=it.pending.basket.lines,
            tenders=it.parts.tenders,
            rest=it.parts.rest,
            bill=it.pending.basket.bill,
            occurred_at_us=self._clock.now_us(),
        )

    def _available(self, uid: str) -> Mapping[str, int]:
        """What a card holds as far as we know; of one that we do not know, nothing."""
        book = self._shelf.book
        return (book.available(uid) if book else None) or {}

    def _result(
        self, it: Try, reason: Refusal | None, *, offline: bool, left: Mapping[str, int] | None = None
    ) -> Result:
        shop, card, now_us = self._shelf.shop, it.held[0].card.uid, self._clock.now_us()
        return Result(
            sale=it.pending.sale,
            asked=it.pending.asked,
            card=card,
            price=amounts(it.pending.basket.price),
            reason=reason,
            offline=offline,
            balances=None if left is None else amounts(dict(sorted(left.items()))),
            at_us=now_us,
            members=shop.memberships(card, now_us) if shop is not None else (),
        )


def by_hand(sale: Sale) -> Result:
    """How a sale ends that no card pays."""
    return Result(
        sale=sale.id,
        asked=sale.id,
        card=None,
        price=price(sale),
        reason=None,
        offline=False,
        balances=None,
        at_us=sale.occurred_at_us,
        taken=taken(sale, {}),
        tickets=sum(len(it.tickets) for it in sale.lines),
    )
