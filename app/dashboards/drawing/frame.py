"""What charts have in common: the key to their looks, the axes, and how amounts are written on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.dashboards.drawing.scale import ticks
from app.dashboards.drawing.svg import Drawing, wide
from app.money import Unit

NARROW, WIDE = 340, 860
GAP = 8
_LABEL_ROOM, _KEY_LINE, _KEY = 40, 26, 12
_TALL_WIDE, _TALL_NARROW, _BELOW = 240, 200, 28


@dataclass(frozen=True, slots=True)
class Writing:
    """How amounts are written: in full, and short on an axis."""

    unit: Unit | None
    full: Callable[[int], str]
    short: Callable[[int], str]


def legend(drawing: Drawing, keys: Sequence[tuple[str, str]]) -> int:
    """Says what looks mean, as (look, text), in as many lines as it takes; the height of it."""
    if not keys:
        return 0
    start, x, y = 4.0, 4.0, 0
    for look, text in keys:
        if x > start and x + _KEY + 10 + wide(text) > drawing.width:
            x, y = start, y + _KEY_LINE
        if look.startswith("chart-bar"):
            drawing.rect(look, x + 1, y + 4, _KEY, _KEY)
        else:
            drawing.line(look, x - 2, y + 10, x + _KEY + 5, y + 10)
        drawing.write("chart-text", x + _KEY + 11, y + 15, text)
        x += _KEY + 11 + wide(text) + 22
    return y + _KEY_LINE


@dataclass(frozen=True, slots=True)
class Frame:
    """Where things are drawn: places side by side from `left` to `right`, amounts from the zero line up and down."""

    left: float
    right: float
    top: float
    tall: float
    low: int
    high: int
    places: int

    @property
    def step(self) -> float:
        return (self.right - self.left) / max(1, self.places)

    def middle(self, place: int) -> float:
        return self.left + self.step * (place + 0.5)

    def at(self, amount: float) -> float:
        return self.top + self.tall * (self.high - amount) / (self.high - self.low)


def framed(drawing: Drawing, top: float, amounts: Sequence[int], labels: Sequence[str], writing: Writing) -> Frame:
    """Draws the axes: amounts at the left, and as many of the labels below as there is room for."""
    marks = ticks(min(amounts, default=0), max(amounts, default=0), writing.unit)
    left = max(wide(writing.short(it)) for it in marks) + GAP + 4
    tall = _TALL_NARROW if drawing.width <= NARROW else _TALL_WIDE
    frame = Frame(left, drawing.width - 6, top, tall, marks[0], marks[-1], len(labels))
    for mark in marks:
        drawing.line("chart-grid" if mark else "chart-zero", left, frame.at(mark), frame.right, frame.at(mark))
        drawing.write("chart-soft", left - GAP, frame.at(mark) + 5, writing.short(mark), "end")
    room = max((wide(it) for it in labels), default=0) + 22
    every = max(1, -(-int(max(room, _LABEL_ROOM)) * len(labels) // int(frame.right - left)))
    for place, label in enumerate(labels):
        # From the newest back, so that it is always told.
        if (len(labels) - 1 - place) % every == 0:
            half = wide(label) / 2
            x = min(frame.middle(place), drawing.width - half)
            drawing.write("chart-soft", x, top + tall + 20, label, "middle")
    drawing.height = int(top + tall + _BELOW)
    return frame
