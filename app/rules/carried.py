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


@dataclass(frozen=True, slots=True)
class Knowing:
    """What one terminal knows when it meets a card.

    `at_ms`: when its snapshot was made, by the server's clock. `applied`: for each other terminal the epoch and the
    row up to which the snapshot contains its journal. `own`: what we sold to this card without network and the
    snapshot does not contain, by currency; `heard`: the same of other terminals, by what they told at this site. Minor
    units.
    """

    device: UUID
    epoch: int
    at_ms: int
    applied: Mapping[UUID, tuple[int, int]]
    own: Mapping[str, int]
    heard: Mapping[UUID, Mapping[str, int]]

    def able(self, sequence: int) -> bool:
        """Whether what this terminal writes at `sequence` has room on a card, and is told from what others write."""
        ours = short_device(self.device)
        alone = all(short_device(it) != ours for it in self.applied)
        return alone and self.epoch <= EPOCH_MAX and sequence <= SEQUENCE_MAX

    def settled(self, it: Owed) -> bool:
        """Whether the snapshot contains these sales of another terminal's."""
        known = [mark for device, mark in self.applied.items() if short_device(device) == it.device]
        return bool(known) and all((it.epoch, it.sequence) <= mark for mark in known)


def seen_with(card: CardView, carried: Carried, knowing: Knowing, codes: Iterable[str]) -> CardView:
    """The card as it stands, in these currencies, once what it carries is known too."""
    ours = short_device(knowing.device)
    outdated = knowing.at_ms != carried.cleaned_ms and knowing.at_ms < carried.cleaned_ms + CLOSE_MS
    outdated = outdated and carried.cleaned_ms > 0
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
    before = Counter({it.currency: it.minor for it in carried.owed if it.device == ours})
    before.update({short_currency(code): minor for code, minor in paid.items()})
    settled = len(kept) + len({it.currency for it in carried.owed if it.device == ours}) < len(carried.owed)
    left_out = settled or any(minor > sums[currency] for currency, minor in before.items())
    return Carried((*kept, *own), max(carried.cleaned_ms, knowing.at_ms) if left_out else carried.cleaned_ms)
