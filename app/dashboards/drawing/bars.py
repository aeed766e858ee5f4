"""Bars from zero: standing ones for what follows in time, lying ones for things with names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.dashboards.drawing.frame import GAP, NARROW, Frame, Writing, framed, legend
from app.dashboards.drawing.svg import Drawing, shortened, wide

_NAMES_MAX = 260


@dataclass(frozen=True, slots=True)
class Bar:
    """`first` is drawn full and `second` hollow; `then`: what it is compared with, a line across it.

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

    @property
    def said(self) -> list[tuple[str, str]]:
        looks = (("chart-bar", self.first), ("chart-bar-other", self.second), ("chart-mark", self.then))
        return [(look, text) for look, text in looks if text]


Draw = Callable[[int, str, str, Sequence[Bar], Keys, Writing], Drawing]


def standing(width: int, title: str, desc: str, bars: Sequence[Bar], keys: Keys, writing: Writing) -> Drawing:
    """Time goes to the right; both parts of a bar on each other. The highest bears its amount."""
    drawing = Drawing(width, 0, title, desc)
    top = legend(drawing, keys.said) + 22
    amounts = [value for it in bars for value in (it.first, it.total, it.then or 0)]
    frame = framed(drawing, top, amounts, [it.label for it in bars], writing)
    thick = min(44, frame.step * 0.68)
    highest = max(bars, key=lambda it: it.total, default=None)
    for place, it in enumerate(bars):
        middle = frame.middle(place)
        for look, begin, end in (("chart-bar", 0, it.first), ("chart-bar-other", it.first, it.total)):
            _upright(drawing, frame, look, middle - thick / 2, thick, (begin, end), it.said)
        if it.then:
            reach, y = frame.step * 0.46, frame.at(it.then)
            _mark(drawing, (middle - reach, y), (middle + reach, y), it.said)
        if it is highest and it.total > 0:
            _name(drawing, frame, middle, it.total, writing)
    return drawing


def paired(width: int, title: str, desc: str, bars: Sequence[Bar], keys: Keys, writing: Writing) -> Drawing:
    """Time goes to the right; both parts of a bar beside each other."""
    drawing = Drawing(width, 0, title, desc)
    top = legend(drawing, keys.said) + 22
    amounts = [value for it in bars for value in (it.first, it.second)]
    frame = framed(drawing, top, amounts, [it.label for it in bars], writing)
    thick = min(22, frame.step * 0.4)
    for place, it in enumerate(bars):
        middle = frame.middle(place)
        _upright(drawing, frame, "chart-bar", middle - thick, thick, (0, it.first), it.said)
        _upright(drawing, frame, "chart-bar-other", middle, thick, (0, it.second), it.said)
    return drawing


def lying(width: int, title: str, desc: str, bars: Sequence[Bar], keys: Keys, writing: Writing) -> Drawing:
    """Each with its name and its amount: beside it where there is room, above it on a phone."""
    drawing = Drawing(width, 0, title, desc)
    begins = y = legend(drawing, keys.said) + 4.0
    narrow = width <= NARROW
    amounts = [writing.full(it.total) for it in bars]
    room = max((wide(it) for it in amounts), default=0) + GAP
    names = 4.0 if narrow else min(_NAMES_MAX, max((wide(it.label) for it in bars), default=0)) + GAP
    values = [value for it in bars for value in (it.first, it.total, it.then or 0)]
    low, high = min([0, *values]), max([1, *values])
    end = width - 4 if narrow else width - room

    def at(value: float) -> float:
        return names + (end - names) * (value - low) / (high - low)

    for it, amount in zip(bars, amounts, strict=True):
        if narrow:
            drawing.write("chart-text", names, y + 13, shortened(it.label, width - room - names - GAP))
            drawing.write("chart-strong", width - 4, y + 13, amount, "end")
            y += 20
        else:
            drawing.write("chart-text", names - GAP, y + 15, shortened(it.label, names - GAP), "end")
        thick = 14 if narrow else 18
        for look, start, finish in (("chart-bar", 0, it.first), ("chart-bar-other", it.first, it.total)):
            if start != finish:
                drawing.rect(look, min(at(start), at(finish)), y, abs(at(start) - at(finish)), thick, it.said)
        if it.then:
            _mark(drawing, (at(it.then), y - 3), (at(it.then), y + thick + 3), it.said)
        if not narrow:
            drawing.write("chart-strong", at(max(it.total, it.then or 0, 0)) + GAP, y + 15, amount)
        y += thick + (14 if narrow else 12)
    if not narrow:
        drawing.line("chart-zero", at(0), begins - 2, at(0), y - 8)
    drawing.height = int(y)
    return drawing


def _mark(drawing: Drawing, begin: tuple[float, float], end: tuple[float, float], said: str) -> None:
    """A line that is seen on a full bar too."""
    for look in ("chart-halo", "chart-mark"):
        drawing.line(look, *begin, *end, said)


def _upright(
    drawing: Drawing, frame: Frame, look: str, x: float, thick: float, between: tuple[int, int], said: str
) -> None:
    begin, end = (frame.at(it) for it in between)
    if begin != end:
        drawing.rect(look, x, min(begin, end), thick, abs(begin - end), said)


def _name(drawing: Drawing, frame: Frame, x: float, amount: int, writing: Writing) -> None:
    text = writing.full(amount)
    half = wide(text) / 2
    where = min(max(x, frame.left + half), frame.right - half)
    drawing.write("chart-strong", where, frame.at(amount) - 8, text, "middle")
