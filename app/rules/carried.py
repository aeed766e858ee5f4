"""What a terminal without network makes of what a card carries: the sales of others that its snapshot does not know.

A card carries, for each terminal that sold to it without network, how much that was and the last row of its journal
that it is about. A terminal whose snapshot contains that row knows these sales by the balance; to any other they are
money that is gone and of which nobody else can tell it. So isolated terminals decide as if they stood on one line: what
they sell to one card beyond its balance stays, together, within what one of them may sell.

Nothing is ever added to a card by somebody's word: what it owes is left out once a snapshot contains the rows, and the
card remembers how new the newest such snapshot was. To whoever holds an older one the balance that it knows says
nothing any more, for it may be what was left out.

A terminal's own sales it knows by its journal, and writes them anew each time: a write that nobody knows the end of is
made good by the next one, and takes nothing twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from app.rules.chips.allowance import (
    EPOCH_MAX,
    MINOR_MAX,
    OWED_MAX,
    SEQUENCE_MAX,
    Carried,
    Owed,
    short_currency,
    short_device,
)
from app.rules.offline import CardView

# A snapshot's time is read a moment after what it contains: two that were made closer together than this may stand the
# other way round.
CLOSE_MS: Final = 10_000


# Of the snapshots that a terminal had, so many are remembered, this far apart and the first one.
EARLIER_MAX: Final = 60
EARLIER_APART_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Contained:
    """A snapshot: when it was made, by the server's clock, and for each terminal the epoch and the row up to which it
    contains its journal."""

    at_ms: int
    applied: Mapping[UUID, tuple[int, int]]

    def knows(self, device: bytes, mark: tuple[int, int]) -> bool:
        """Whether it contains the journal of the terminal with this short name up to there."""
        known = [through for it, through in self.applied.items() if short_device(it) == device]
        return bool(known) and all(mark <= through for through in known)


@dataclass(frozen=True, slots=True)
class Knowing:
    """What one terminal knows when it meets a card.

    `now`: by its snapshot; `earlier`: those that it had before, oldest first. `own`: what we sold to this card without
    network and the snapshot does not contain, by currency; `heard`: the same of other terminals, by what they told at
    this site. Minor units.
    """

    device: UUID
    epoch: int
    now: Contained
    own: Mapping[str, int]
    heard: Mapping[UUID, Mapping[str, int]]
    earlier: Sequence[Contained] = ()

    def able(self, sequence: int) -> bool:
        """Whether what this terminal writes at `sequence` has room on a card, and is told from what others write."""
        ours = short_device(self.device)
        alone = all(short_device(it) != ours for it in self.now.applied if it != self.device)
        return alone and self.epoch <= EPOCH_MAX and sequence <= SEQUENCE_MAX

    def settled(self, it: Owed) -> bool:
        """Whether the snapshot contains these sales of another terminal's."""
        return self.now.knows(it.device, (it.epoch, it.sequence))

    def known_since(self, it: Owed) -> int:
        """When the oldest snapshot that we had was made (milliseconds) that contains these sales, as far as ours does.

        The older, the better: whoever has an older one than that takes the card for what it owes.
        """
        mark = (it.epoch, it.sequence)
        if it.device == short_device(self.device):
            mark = min(mark, self.now.applied.get(self.device, mark))
        for one in self.earlier:
            if one.at_ms + CLOSE_MS <= self.now.at_ms and one.knows(it.device, mark):
                return one.at_ms
        return self.now.at_ms


def remembered(earlier: Sequence[Contained], new: Contained) -> tuple[Contained, ...]:
    """The snapshots that a terminal had, and this one."""
    if earlier and new.at_ms - earlier[-1].at_ms < EARLIER_APART_MS:
        return tuple(earlier)
    return (*earlier[:1], *earlier[1:][-(EARLIER_MAX - 2) :], new)


def seen_with(card: CardView, carried: Carried, knowing: Knowing, codes: Iterable[str]) -> CardView:
    """The card as it stands, in these currencies, once what it carries is known too."""
    ours = short_device(knowing.device)
    at_ms, cleaned_ms = knowing.now.at_ms, carried.cleaned_ms
    outdated = cleaned_ms > 0 and at_ms != cleaned_ms and at_ms < cleaned_ms + CLOSE_MS
    open_ = [it for it in carried.owed if it.device != ours and not knowing.settled(it)]
    available, unbacked, backed = dict(card.available), dict(card.unbacked), dict(card.backed)
    for code in codes:
        sold = unbacked.get(code, 0) + backed.get(code, 0)
        base = 0 if outdated else available.get(code, 0) + sold
        sold += _unheard(code, open_, knowing)
        available[code] = base - sold
        unbacked[code] = max(0, sold - max(0, base))
        backed[code] = sold - unbacked[code]
    return replace(card, available=available, unbacked=unbacked, backed=backed)


def _unheard(code: str, open_: Sequence[Owed], knowing: Knowing) -> int:
    """What others sold beyond what they told us of."""
    carried: Counter[bytes] = Counter()
    for it in open_:
        if it.currency == short_currency(code):
            carried[it.device] += it.minor
    for device, sold in knowing.heard.items():
        if (short := short_device(device)) in carried:
            carried[short] -= max(0, sold.get(code, 0))
    return sum(max(0, minor) for minor in carried.values())


def carried_on(carried: Carried, knowing: Knowing, paid: Mapping[str, int], sequence: int) -> Carried | None:
    """What the card is to carry once it has paid this (minor units by currency) in our row `sequence`; None: it has no
    room for one terminal more. Only where `knowing.able(sequence)`."""
    ours = short_device(knowing.device)
    kept = [it for it in carried.owed if it.device != ours and not knowing.settled(it)]
    sums: Counter[bytes] = Counter()
    for code in {*knowing.own, *paid}:
        sums[short_currency(code)] += max(0, knowing.own.get(code, 0) + paid.get(code, 0))
    if any(minor > MINOR_MAX for minor in sums.values()):
        return None
    own = [Owed(ours, knowing.epoch, sequence, currency, minor) for currency, minor in sorted(sums.items()) if minor]
    if len(kept) + len(own) > OWED_MAX:
        return None
    return Carried((*kept, *own), max([carried.cleaned_ms, *_left_out(carried, knowing, paid, sums)]))


def _left_out(carried: Carried, knowing: Knowing, paid: Mapping[str, int], own: Mapping[bytes, int]) -> Iterable[int]:
    """Since when that is known, of each that is left out. Of ours: what is more than we write now."""
    paying = Counter({short_currency(code): minor for code, minor in paid.items()})
    for it in carried.owed:
        if it.device != short_device(knowing.device):
            if knowing.settled(it):
                yield knowing.known_since(it)
        elif it.minor + paying[it.currency] > own.get(it.currency, 0):
            yield knowing.known_since(it)
