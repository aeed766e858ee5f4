"""Bars from zero: standing ones for the hours of a day, lying ones for things with names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.dashboards.drawing.scale import ticks
from app.dashboards.drawing.svg import Drawing, shortened, wide
from app.money import Unit

ROW = 26
_LABEL_ROOM, _GAP, _KEY = 40, 8, 12
_TALL_WIDE, _TALL_NARROW = 240, 200
NARROW, WIDE = 340, 860


@dataclass(frozen=True, slots=True)
class Bar:
    """`first` is drawn full, `second` on top of it hollow; `then`: what it is compared with, a line across it.

    `said`: all of it in words.
    """

    label: str
    first: int
    second: int = 0
    then: int | None = None
    said: str = ""

    @property
    def total(self) -> int:
        return self.first + self.second


@dataclass(frozen=True, slots=True)
class Keys:
    """What the three looks mean; "" for a look that is not there."""

    first: str = ""
    second: str = ""
    then: str = ""


@dataclass(frozen=True, slots=True)
class Writing:
    """How amounts are written: in full, and short on an axis."""

    unit: Unit | None
    full: Callable[[int], str]
    short: Callable[[int], str]


Draw = Callable[[int, str, str, Sequence[Bar], Keys, Writing], Drawing]


def standing(width: int, title: str, desc: str, bars: Sequence[Bar], keys: Keys, writing: Writing) -> Drawing:
    """Time goes to the right. The highest bar bears its amount."""
    drawing = Drawing(width, 0, title, desc)
    top = _legend(drawing, keys, 4) + 22
    tall = _TALL_NARROW if width <= NARROW else _TALL_WIDE
    values = [value for it in bars for value in (it.first, it.total, it.then or 0)]
    marks = ticks(min(values, default=0), max(values, default=0), writing.unit)
    left = max(wide(writing.short(it)) for it in marks) + _GAP
    right = width - 6
    drawing.height = top + tall + 28

    def at(value: float) -> float:
        return top + tall * (marks[-1] - value) / (marks[-1] - marks[0])

    for mark in marks:
        drawing.line("chart-grid" if mark else "chart-zero", left, at(mark), right, at(mark))
        drawing.write("chart-soft", left - _GAP, at(mark) + 5, writing.short(mark), "end")
    step = (right - left) / max(1, len(bars))
    thick = min(44, step * 0.68)
    highest = max(bars, key=lambda it: it.total, default=None)
    every = max(1, -(-_LABEL_ROOM * len(bars) // int(right - left)))
    for place, it in enumerate(bars):
        middle = left + step * (place + 0.5)
        x = middle - thick / 2
        for look, begin, end in (("chart-bar", 0, it.first), ("chart-bar-other", it.first, it.total)):
            if begin != end:
                drawing.rect(look, x, min(at(begin), at(end)), thick, abs(at(begin) - at(end)), it.said)
        if it.then is not None:
            drawing.line("chart-mark", middle - step * 0.46, at(it.then), middle + step * 0.46, at(it.then), it.said)
        if it is highest and it.total > 0:
            text = writing.full(it.total)
            half = wide(text) / 2
            drawing.write("chart-strong", min(max(middle, left + half), right - half), at(it.total) - 8, text, "middle")
        if place % every == 0:
            drawing.write("chart-soft", middle, top + tall + 20, it.label, "middle")
    return drawing


def lying(width: int, title: str, desc: str, bars: Sequence[Bar], keys: Keys, writing: Writing) -> Drawing:
    """Each with its name and its amount: beside it where there is room, above it on a phone."""
    drawing = Drawing(width, 0, title, desc)
    y = _legend(drawing, keys, 4) + 4.0
    narrow = width <= NARROW
    amounts = [writing.full(it.total) for it in bars]
    room = max((wide(it) for it in amounts), default=0) + _GAP
    names = 4.0 if narrow else min(260, max((wide(it.label) for it in bars), default=0)) + _GAP
    low = min(0, *(value for it in bars for value in (it.first, it.total, it.then or 0)))
    high = max(1, *(value for it in bars for value in (it.first, it.total, it.then or 0)))
    end = width - 4 if narrow else width - room

    def at(value: float) -> float:
        return names + (end - names) * (value - low) / (high - low)

    for it, amount in zip(bars, amounts, strict=True):
        if narrow:
            drawing.write("chart-text", names, y + 13, shortened(it.label, width - room - names - _GAP))
            drawing.write("chart-strong", width - 4, y + 13, amount, "end")
            y += 20
        else:
            drawing.write("chart-text", names - _GAP, y + 15, shortened(it.label, names - _GAP), "end")
        thick = 14 if narrow else 18
        for look, begin, finish in (("chart-bar", 0, it.first), ("chart-bar-other", it.first, it.total)):
            if begin != finish:
                drawing.rect(look, min(at(begin), at(finish)), y, abs(at(begin) - at(finish)), thick, it.said)
        if it.then is not None:
            drawing.line("chart-mark", at(it.then), y - 3, at(it.then), y + thick + 3, it.said)
        if not narrow:
            drawing.write("chart-strong", at(max(it.total, it.then or 0, 0)) + _GAP, y + 15, amount)
        y += thick + (14 if narrow else 12)
    drawing.line("chart-zero", at(0), _legend_height(keys, width) + 2, at(0), y - 6)
    drawing.height = int(y)
    return drawing


def _legend(drawing: Drawing, keys: Keys, x: float) -> int:
    """Says what the looks mean, in as many lines as it takes; the height of it."""
    start = x
    y = 0
    for look, text in (("chart-bar", keys.first), ("chart-bar-other", keys.second), ("chart-mark", keys.then)):
        if not text:
            continue
        if x > start and x + _KEY + 6 + wide(text) > drawing.width:
            x, y = start, y + ROW
        if look == "chart-mark":
            drawing.line(look, x, y + 10, x + _KEY + 4, y + 10)
        else:
            drawing.rect(look, x + 1, y + 4, _KEY, _KEY)
        drawing.write("chart-text", x + _KEY + 10, y + 15, text)
        x += _KEY + 10 + wide(text) + 22
    return y + ROW if any((keys.first, keys.second, keys.then)) else 0


def _legend_height(keys: Keys, width: int) -> int:
    return _legend(Drawing(width, 0, "", ""), keys, 4)
