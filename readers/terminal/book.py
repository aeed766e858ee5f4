"""What this terminal sold that its snapshot does not contain yet, and the card views that follow from it.

The snapshot says which of our rows its balances include (`Mark`). All others are subtracted here, whatever the server
acknowledged meanwhile: an acknowledged row may not be in the snapshot that we hold, and a row under way may be in it.
So nothing counts twice and nothing is left out.

For each card and currency, with `base` = the snapshot's balance less our online sales plus our voids of sales that the
snapshot contains, and `offline` = our offline sales that nobody undid:

    available = base - offline
    unbacked  = what of `offline` exceeds a base that is not negative
    backed    = offline - unbacked

Rows of other terminals at the site count in the same way, each by its own terminal's mark: what one card took anywhere
counts against the card's limits everywhere. The terminal's own limit is about its own sales: what of a card's risk
this terminal can have caused counts there, and never less.

An online sale lowers what is available and is no risk: the server itself booked it. Written this way the figures do not
depend on the order of the rows, and each sale costs the same whatever the number of cards.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
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


_NOTHING = Mark(0, 0, ())


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that moves value: `taken` is minor units by card, then by currency; what is put on a card is below 0.

    `void`: it gives them back for `sale`; otherwise it is `sale` itself (or an act that is no sale). `offline`: a sale
    that this terminal decided alone, and so a risk. `journal`: the device and epoch of another terminal's row; None:
    a row of ours.
    """

    sequence: int
    event: UUID
    sale: UUID
    taken: Mapping[str, Mapping[str, int]]
    offline: bool
    void: bool
    journal: tuple[UUID, int] | None = None

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
    """The rows on one card, in minor units by currency; `sales` counts offline sales that nobody undid; `own`
    is what of `offline` this terminal sold."""

    offline: Counter[str] = field(default_factory=Counter)
    online: Counter[str] = field(default_factory=Counter)
    given_back: Counter[str] = field(default_factory=Counter)
    sales: int = 0
    own: Counter[str] = field(default_factory=Counter)


class Book:
    """The cards of one snapshot and our own rows in epoch `epoch` on top of them."""

    def __init__(
        self,
        epoch: int,
        mark: Mark,
        cards: Mapping[str, KnownCard],
        entries: Iterable[Entry] = (),
        others: Mapping[UUID, Mark] | None = None,
    ) -> None:
        self._epoch = epoch
        self._mark = mark
        self._others = others or {}
        self._cards = cards
        self._entries: dict[UUID, Entry] = {}
        self._moves: dict[str, _Moves] = {}
        self._unbacked: Counter[str] = Counter()
        for entry in entries:
            self.add(entry)

    def entries_after(self, sequence: int) -> list[Entry]:
        """Our rows above `sequence` that the snapshot does not contain."""
        return [e for e in self._entries.values() if e.journal is None and e.sequence > sequence]

    def entries_of_others(self) -> list[Entry]:
        """Rows of other terminals that the snapshot does not contain."""
        return [entry for entry in self._entries.values() if entry.journal is not None]

    def own_sold(self, uid: str) -> Mapping[str, int]:
        """What we sold to a card without network and the snapshot does not contain, in minor units by currency."""
        moves = self._moves.get(uid)
        return dict(moves.own) if moves else {}

    def heard_sold(self, uid: str) -> Mapping[UUID, Mapping[str, int]]:
        """The same of other terminals, as far as they told us."""
        voided = {it.sale for it in self._entries.values() if it.void and it.journal}
        found: dict[UUID, Counter[str]] = {}
        for it in self._entries.values():
            if it.journal and it.offline and not it.void and it.sale not in voided and uid in it.taken:
                found.setdefault(it.journal[0], Counter()).update(it.taken[uid])
        return found

    def add(self, entry: Entry) -> None:
        """Take a committed row into account; a row that is known or contained in the snapshot changes nothing."""
        if self.contains(entry) or entry.event in self._entries:
            return
        undone = self._entries.get(entry.sale) if entry.void else None
        for uid, amounts in entry.taken.items():
            moves = self._moves.setdefault(uid, _Moves())
            before = self._own_unbacked_of(uid)
            if not entry.void:
                (moves.offline if entry.offline else moves.online).update(amounts)
                moves.sales += entry.offline
                if entry.offline and entry.journal is None:
                    moves.own.update(amounts)
            elif undone is None:
                moves.given_back.update(amounts)
            else:
                (moves.offline if undone.offline else moves.online).subtract(amounts)
                moves.sales -= undone.offline
                if undone.offline and undone.journal is None:
                    moves.own.subtract(amounts)
            self._unbacked.subtract(before)
            self._unbacked.update(self._own_unbacked_of(uid))
        self._entries[entry.event] = entry

    def contains(self, entry: Entry) -> bool:
        """Whether the snapshot's balances already include a row."""
        mark, epoch = self._mark, self._epoch
        if entry.journal:
            device, epoch = entry.journal
            mark = self._others.get(device, _NOTHING)
        if entry.event in mark.beyond:
            return True
        # Pairing anew needs every older row at the server, so a later epoch's snapshot contains this one's.
        return epoch < mark.epoch or (epoch == mark.epoch and entry.sequence <= mark.through)

    def card(self, uid: str, assurance: Assurance) -> CardView | None:
        """The card as it stands, for `decide`; None if the snapshot does not know it.

        A card read less surely than the snapshot expects (a strong chip that only gave its UID may be a copy) counts
        as what it was read as; one read more surely than the server knows counts as what the server knows.
        """
        known = self._cards.get(uid)
        return None if known is None else self._view(uid, known.status != "active", max(assurance, known.assurance))

    def stranger(self, uid: str) -> CardView:
        """A card that the snapshot does not know, with what it took and was given here: it counts as the weakest."""
        return replace(self._view(uid, False, "C"), known=False)

    def _view(self, uid: str, blocked: bool, assurance: Assurance) -> CardView:
        moves = self._moves.get(uid)
        unbacked = self._unbacked_of(uid)
        return CardView(
            blocked=blocked,
            assurance=assurance,
            available=self._left(uid),
            unbacked=unbacked,
            backed={code: sold - unbacked.get(code, 0) for code, sold in moves.offline.items()} if moves else {},
            consecutive=moves.sales if moves else 0,
            asks=uid in self._cards and self._cards[uid].asks,
        )

    def available(self, uid: str) -> dict[str, int] | None:
        """What is left on a card in minor units by currency, as far as we know; None for an unknown card."""
        return self._left(uid) if uid in self._cards else None

    def _left(self, uid: str) -> dict[str, int]:
        known = self._cards.get(uid)
        codes = {*(known.balances if known else ()), *self._sold(uid)}
        offline = moves.offline if (moves := self._moves.get(uid)) else Counter[str]()
        return {code: self._base(uid, code) - offline[code] for code in sorted(codes)}

    @property
    def unbacked(self) -> Mapping[str, int]:
        """This terminal's own unbacked risk on all cards together, in minor units by currency."""
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

    def _own_unbacked_of(self, uid: str) -> dict[str, int]:
        """At most what we sold: risk on a card may come from others' sales, and then it counts at theirs."""
        moves = self._moves.get(uid)
        own = moves.own if moves else Counter[str]()
        return {code: min(own[code], risk) for code, risk in self._unbacked_of(uid).items()}
