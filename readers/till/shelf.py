"""The snapshot that the till sells by, with our own rows on top: swapped whole, never half."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from uuid import UUID

from app.rules.carried import Contained, Knowing, remembered
from app.rules.offline import TerminalView
from app.wire import AnyRow, SoldOutRow
from readers.journal import Clock, Journal
from readers.sync import Received
from readers.terminal.book import Book, Entry, Mark
from readers.terminal.shop import Shop
from readers.terminal.tickets import TicketBook
from readers.till.last_credits import LastCredits


class SnapshotShelf:
    """`shop` and `book` are None until the first snapshot is installed. `on_change` follows every swap."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._fresh_ns = 0
        self.on_change: Callable[[], None] = lambda: None
        # What other terminals at this site told of their rows; nothing without a site hub.
        self.site_entries: Callable[[], list[Entry]] = list
        self.on_install: Callable[[Received], None] = lambda _: None
        self._contained = Contained(0, {})
        self._earlier: tuple[Contained, ...] = ()
        self.shop: Shop | None = None
        self.book: Book | None = None
        self.credits = LastCredits(journal)
        self.tickets = TicketBook()
        # What our own rows say that the snapshot does not: by product, the row's sequence and whether it is sold out.
        self._switched: dict[UUID, tuple[int, bool]] = {}

    async def install(self, received: Received) -> None:
        """Sell by this snapshot from now on."""
        shop = await asyncio.to_thread(self._made, received)
        epoch, mark = self._journal.pairing.epoch, Mark.of(received.head)
        # Read from the journal and not from the book before: this snapshot may contain less than that one did.
        since = mark.through if mark.epoch == epoch else 0
        switched = {
            row.product: (sequence, row.sold_out)
            for sequence, row in await self._journal.rows_of("sold_out", since)
            if isinstance(row, SoldOutRow)
        }
        rows, head = await self._journal.own_rows_after(since)
        # Rows that were committed after the journal was read are in the book before; from here on nothing waits.
        later = self.book.entries_after(head) if self.book else []
        read = (entry for row in rows if (entry := Entry.of(row.sequence, row.payload, row.undone)))
        marks = {
            one.device: Mark(one.epoch, one.through, frozenset(one.beyond)) for one in received.head.applied_others
        }
        # What arrived of others while this was made ready is in the book before, or in what the site keeps.
        others = [*self.site_entries(), *(self.book.entries_of_others() if self.book else ())]
        self.book = Book(epoch, mark, shop.cards, itertools.chain(read, later, others), marks)
        self._switched = switched | {id_: it for id_, it in self._switched.items() if it[0] > since}
        self.shop = shop
        applied = {device: (it.epoch, it.through) for device, it in marks.items()}
        applied[self._journal.pairing.device] = (mark.epoch, mark.through)
        self._contained = Contained(received.head.at_us // 1000, applied)
        self._earlier = remembered(self._earlier, self._contained)
        self.on_install(received)
        self._fresh_ns = self._clock.monotonic_ns() - int(received.age_s * 1e9)
        self.on_change()

    def confirm(self) -> None:
        """The server said that this snapshot is the newest."""
        self._fresh_ns = self._clock.monotonic_ns()
        self.on_change()

    def add_other(self, entry: Entry) -> None:
        """A row of another terminal at this site came in."""
        if self.book:
            self.book.add(entry)

    def add(self, sequence: int, row: AnyRow, undone: AnyRow | None = None) -> None:
        """A row of ours was committed; `undone` is what a void takes back."""
        entry = Entry.of(sequence, row, undone)
        self.credits.add(row, undone)
        self.tickets.add(row)
        if self.book and entry:
            self.book.add(entry)
        if isinstance(row, SoldOutRow):
            self._switched[row.product] = (sequence, row.sold_out)

    def catalogue(self) -> dict[str, object] | None:
        """What is sold at this instant; None before the first snapshot."""
        if self.shop is None:
            return None
        drawn = self.shop.catalogue(self._clock.now_us(), self.switched)
        return self.tickets.beside(drawn, self.shop.snapshot.accepted)

    @property
    def switched(self) -> Mapping[UUID, bool]:
        """Products that staff said here to be sold out, or to be there again, since the snapshot."""
        return {id_: sold_out for id_, (_, sold_out) in self._switched.items()}

    def _made(self, received: Received) -> Shop:
        shop = Shop(received.head, received.cards)
        # Drawn here, beside the loop: 300 products take a while on a small machine.
        shop.catalogue(self._clock.now_us())
        return shop

    @property
    def age_s(self) -> float | None:
        """How long ago the server vouched for the snapshot; None: there is none."""
        return None if self.shop is None else max(0.0, (self._clock.monotonic_ns() - self._fresh_ns) / 1e9)

    @property
    def stale(self) -> bool:
        age_s = self.age_s
        return self.shop is not None and age_s is not None and age_s > self.shop.limits.snapshot_warn_s

    def knowing(self, uid: str) -> Knowing | None:
        """What we know when we meet this card; None before the first snapshot."""
        if self.shop is None or self.book is None:
            return None
        pairing = self._journal.pairing
        return Knowing(
            device=pairing.device,
            epoch=pairing.epoch,
            now=self._contained,
            earlier=self._earlier,
            own=self.book.own_sold(uid),
            heard=self.book.heard_sold(uid),
        )

    def terminal(self) -> TerminalView:
        """The terminal's own state, for `decide`."""
        unbacked = self.book.unbacked if self.book else {}
        return TerminalView(unbacked, self._journal.waiting, self.age_s)
