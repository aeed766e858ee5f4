"""The picture of a matrix: bands from where money was loaded to where it was spent, as SVG paths."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, GAP, NODE = 1000, 14, 10
# All bands together are this high; the gaps between the ends come on top.
BANDS = 360
LEAST = 2


@dataclass(frozen=True, slots=True)
class End:
    """One side's node: its upper edge, its height, and what it stands for."""

    of: Hashable
    top: int
    height: int
    amount: int


@dataclass(frozen=True, slots=True)
class Band:
    """From the row `origin` to the column `venue`. `tint`: the number of its origin, 1 to 6."""

    origin: Hashable
    venue: Hashable
    amount: int
    path: str
    tint: int


@dataclass(frozen=True, slots=True)
class FlowPicture:
    left: Sequence[End]
    right: Sequence[End]
    bands: Sequence[Band]
    height: int
    width: int = WIDTH


def flow_picture(
    origins: Sequence[Hashable], venues: Sequence[Hashable], amounts: Mapping[Any, int]
) -> FlowPicture | None:
    """`amounts`: by (origin, venue). None where nothing flowed. What is below zero (more came back than went) has no
    band; the table says it."""
    drawn = {pair: amount for pair, amount in amounts.items() if amount > 0}
    total = sum(drawn.values())
    if not total:
        return None
    left = _ends(origins, {it: sum(drawn.get((it, at), 0) for at in venues) for it in origins}, total)
    right = _ends(venues, {at: sum(drawn.get((it, at), 0) for it in origins) for at in venues}, total)
    starts, ends = {it.of: it.top for it in left}, {it.of: it.top for it in right}
    bands = []
    for number, origin in enumerate(origins):
        for venue in venues:
            if not (amount := drawn.get((origin, venue), 0)):
                continue
            height = max(LEAST, BANDS * amount // total)
            bands.append(Band(origin, venue, amount, _band(starts[origin], ends[venue], height), number % 6 + 1))
            starts[origin] += height
            ends[venue] += height
    tall = max(it.top + it.height for it in (*left, *right))
    return FlowPicture(left, right, bands, max(tall, *starts.values(), *ends.values()))


def _ends(of: Sequence[Hashable], sums: Mapping[Hashable, int], total: int) -> list[End]:
    ends, top = [], 0
    for it in of:
        if sums[it]:
            height = max(LEAST, BANDS * sums[it] // total)
            ends.append(End(it, top, height, sums[it]))
            top += height + GAP
    return ends


def _band(start: int, end: int, height: int) -> str:
    left, right, middle = NODE, WIDTH - NODE, WIDTH // 2
    return (
        f"M{left} {start}C{middle} {start} {middle} {end} {right} {end}v{height}"
        f"C{middle} {end + height} {middle} {start + height} {left} {start + height}Z"
    )
