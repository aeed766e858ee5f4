"""Which money covers which prices, when some of it is taken for some things only.

A transport problem in whole minor units: sources (one money of one wallet) cover cells (prices in one currency that the
same moneys may pay). A source takes all it can; those that came before keep what they cover in all, but what they cover
may move to other cells to let it in (augmenting paths, Ford and Fulkerson 1956). So a voucher for beer is not lost
because unrestricted money happened to be counted against the beer first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import lcm


@dataclass(slots=True)
class Cell:
    """`open` minor units still to pay of prices in `price`, worth `cents` euro cents each, by any money in `takers`."""

    price: str
    cents: int
    takers: frozenset[str]
    open: int


@dataclass(slots=True)
class Source:
    """`room` minor units of `code` that a wallet may still pay, worth `cents` euro cents each."""

    code: str
    cents: int
    room: int


class Covering:
    """The cells, and what each source covers of them so far; `cells` and `sources` are changed in place."""

    def __init__(self, cells: Sequence[Cell], sources: Sequence[Source]) -> None:
        self.cells = cells
        self.sources = sources
        self._flow: dict[tuple[int, int], int] = {}

    @property
    def unpaid(self) -> dict[str, int]:
        """What no source has covered, in minor units by currency of the prices."""
        by_price: dict[str, int] = {}
        for cell in self.cells:
            if cell.open:
                by_price[cell.price] = by_price.get(cell.price, 0) + cell.open
        return by_price

    @property
    def unpaid_cents(self) -> int:
        return sum(cell.open * cell.cents for cell in self.cells)

    def covered(self, source: int) -> dict[str, int]:
        """What a source covers, in minor units by currency of the prices."""
        by_price: dict[str, int] = {}
        for (s, c), amount in sorted(self._flow.items()):
            if s == source and amount:
                price = self.cells[c].price
                by_price[price] = by_price.get(price, 0) + amount
        return by_price

    def fill(self, s: int) -> None:
        """Let a source cover all it can, prices in its own currency first."""
        source = self.sources[s]
        mine = [c for c, cell in enumerate(self.cells) if source.code in cell.takers]
        mine.sort(key=lambda c: self.cells[c].price != source.code)
        # Prices that the source pays to the unit are one pool; others must come out whole, currency by currency.
        pools: dict[object, list[int]] = {}
        for c in mine:
            pools.setdefault(self.cells[c].cents if self._exact(s, c) else self.cells[c].price, []).append(c)
        for pool in pools.values():
            cents = self.cells[pool[0]].cents
            step = lcm(cents, source.cents)
            whole = step // cents
            taken = self._augment(s, pool, source.room * source.cents // step * whole)
            taken -= self._give_back(s, pool, taken % whole)
            source.room -= taken * cents // source.cents

    def _exact(self, s: int, c: int) -> bool:
        return self.cells[c].cents % self.sources[s].cents == 0

    def _augment(self, s: int, starts: Iterable[int], limit: int) -> int:
        taken = 0
        while taken < limit and (path := self._path(s, starts)):
            amount = min(limit - taken, self.cells[path[-1][1]].open)
            for (_, left), (mover, _) in pairwise(path):
                amount = min(amount, self._flow[mover, left])
            for (_, left), (mover, _) in pairwise(path):
                self._flow[mover, left] -= amount
            for mover, entered in path:
                self._flow[mover, entered] = self._flow.get((mover, entered), 0) + amount
            self.cells[path[-1][1]].open -= amount
            taken += amount
        return taken

    def _path(self, s: int, starts: Iterable[int]) -> list[tuple[int, int]]:
        """The shortest chain of (source, cell it enters) from `s` to an open cell: each source after the first leaves
        the cell that the one before enters. Empty when there is none."""
        before: dict[int, tuple[int, int | None]] = dict.fromkeys(starts, (s, None))
        waiting = deque(before)
        while waiting:
            c = waiting.popleft()
            if self.cells[c].open:
                path: list[tuple[int, int]] = []
                here: int | None = c
                while here is not None:
                    mover, previous = before[here]
                    path.append((mover, here))
                    here = previous
                return path[::-1]
            for mover in range(len(self.sources)):
                if self._flow.get((mover, c)):
                    for other in range(len(self.cells)):
                        if other not in before and self._may_move(mover, c, other):
                            before[other] = (mover, c)
                            waiting.append(other)
        return []

    def _may_move(self, s: int, c: int, other: int) -> bool:
        one, two = self.cells[c], self.cells[other]
        same = one.price == two.price or (one.cents == two.cents and self._exact(s, c))
        return same and self.sources[s].code in two.takers

    def _give_back(self, s: int, pool: Sequence[int], excess: int) -> int:
        left = excess
        for c in reversed(pool):
            back = min(left, self._flow.get((s, c), 0))
            if back:
                self._flow[s, c] -= back
                self.cells[c].open += back
                left -= back
        return excess - left
