"""What this terminal sold that its snapshot does not contain yet, and the card views that follow from it.

The snapshot says which of our rows its balances include (`Mark`). All others are subtracted here, whatever the server
acknowledged meanwhile: an acknowledged row may not be in the snapshot that we hold, and a row under way may be in it.
So nothing counts twice and nothing is left out.

For each card and currency, with `base` = the snapshot's balance less our online sales plus our voids of sales that the
snapshot contains, and `offline` = our offline sales that nobody undid:

    available = base - offline
    unbacked  = what of `offline` exceeds a base that is not negative
    backed    = offline - unbacked

An online sale lowers what is available and is no risk: the server itself booked it. Written this way the figures do not
depend on the order of the rows, and each sale costs the same whatever the number of cards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

from app.rules.offline import Assurance, CardView
from app.wire import AnyRow, TerminalSnapshot
from readers.terminal.changes import change_of
from readers.terminal.shop import KnownCard


@dataclass(frozen=True, slots=True)
class Mark:
    """Which rows a snapshot contains: all up to `through` in `epoch`, and the events named in `beyond`."""

    epoch: int
    through: int
    beyond: Collection[UUID]

    @classmethod
    def of(cls, snapshot: TerminalSnapshot) -> Self:
        return cls(snapshot.applied_epoch, snapshot.applied_through, frozenset(snapshot.applied_beyond))


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that moves value: `taken` is minor units by card, then by currency; what is put on a card is below 0.

    `void`: it gives them back for `sale`; otherwise it is `sale` itself (or an act that is no sale). `offline`: a sale
    that this terminal decided alone, and so a risk.
    """

    sequence: int
    event: UUID
    sale: UUID
    taken: Mapping[str, Mapping[str, int]]
    offline: bool
    void: bool

    @classmethod
    def of(cls, sequence: int, row: AnyRow, undone: AnyRow | None = None) -> Self | None:
        """The entry of a committed row; None for one that changes no card. `undone`: what a void takes back."""
        void = row.kind == "void"
        change = change_of(undone if void else row)
        if change is None or row.event is None:
            return None
        return cls(sequence, row.event, row.subject, change.taken, change.at_risk, void)


@dataclass(slots=True)
class _Moves:
    """Our rows on one card, in minor units by currency; `sales` counts offline sales that nobody undid."""

    offline: Counter[str] = field(default_factory=Counter)
    online: Counter[str] = field(default_factory=Counter)
    given_back: Counter[str] = field(default_factory=Counter)
    sales: int = 0


class Book:
    """The cards of one snapshot and our own rows in epoch `epoch` on top of them."""

    def __init__(self, epoch: int, mark: Mark, cards: Mapping[str, KnownCard], entries: Iterable[Entry] = ()) -> None:
        self._epoch = epoch
        self._mark = mark
        self._cards = cards
        self._entries: dict[UUID, Entry] = {}
        self._moves: dict[str, _Moves] = {}
        self._unbacked: Counter[str] = Counter()
        for entry in entries:
            self.add(entry)

    def entries_after(self, sequence: int) -> list[Entry]:
        """Our rows above `sequence` that the snapshot does not contain."""
        return [entry for entry in self._entries.values() if entry.sequence > sequence]

    def add(self, entry: Entry) -> None:
        """Take a committed row into account; a row that is known or contained in the snapshot changes nothing."""
        if self.contains(entry) or entry.event in self._entries:
            return
        undone = self._entries.get(entry.sale) if entry.void else None
        for uid, amounts in entry.taken.items():
            moves = self._moves.setdefault(uid, _Moves())
            before = self._unbacked_of(uid)
            if not entry.void:
                (moves.offline if entry.offline else moves.online).update(amounts)
                moves.sales += entry.offline
            elif undone is None:
                moves.given_back.update(amounts)
            else:
                (moves.offline if undone.offline else moves.online).subtract(amounts)
                moves.sales -= undone.offline
            self._unbacked.subtract(before)
            self._unbacked.update(self._unbacked_of(uid))
        self._entries[entry.event] = entry

    def contains(self, entry: Entry) -> bool:
        """Whether the snapshot's balances already include a row."""
        if entry.event in self._mark.beyond:
            return True
        # Pairing anew needs every older row at the server, so a later epoch's snapshot contains this one's.
        return self._epoch < self._mark.epoch or (
            self._epoch == self._mark.epoch and entry.sequence <= self._mark.through
        )

    def card(self, uid: str, assurance: Assurance) -> CardView | None:
        """The card as it stands, for `decide`; None if the snapshot does not know it.

        A card read less surely than the snapshot expects (a strong chip that only gave its UID may be a copy) counts
        as what it was read as; one read more surely than the server knows counts as what the server knows.
        """
        known = self._cards.get(uid)
        if known is None:
            return None
        moves = self._moves.get(uid)
        unbacked = self._unbacked_of(uid)
        return CardView(
            blocked=known.status != "active",
            assurance=max(assurance, known.assurance),
            available=self.available(uid) or {},
            unbacked=unbacked,
            backed={code: sold - unbacked.get(code, 0) for code, sold in moves.offline.items()} if moves else {},
            consecutive=moves.sales if moves else 0,
        )

    def available(self, uid: str) -> dict[str, int] | None:
        """What is left on a card in minor units by currency, as far as we know; None for an unknown card."""
        known = self._cards.get(uid)
        if known is None:
            return None
        codes = {*known.balances, *self._sold(uid)}
        offline = moves.offline if (moves := self._moves.get(uid)) else Counter[str]()
        return {code: self._base(uid, code) - offline[code] for code in sorted(codes)}

    @property
    def unbacked(self) -> Mapping[str, int]:
        """The unbacked risk of all cards together, in minor units by currency."""
        return self._unbacked

    def _sold(self, uid: str) -> set[str]:
        moves = self._moves.get(uid)
        return {*moves.offline, *moves.online, *moves.given_back} if moves else set()

    def _base(self, uid: str, currency: str) -> int:
        known, moves = self._cards.get(uid), self._moves.get(uid)
        balance = known.balances.get(currency, 0) if known else 0
        return balance + (moves.given_back[currency] - moves.online[currency] if moves else 0)

    def _unbacked_of(self, uid: str) -> dict[str, int]:
        moves = self._moves.get(uid)
        if moves is None:
            return {}
        return {code: max(0, sold - max(0, self._base(uid, code))) for code, sold in moves.offline.items()}
