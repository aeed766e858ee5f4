"""Bands from where money was loaded to where it was spent, as a picture of its own: names and amounts at both ends."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Final

from app.dashboards.drawing.svg import Anchor, Drawing, Shape, shortened
from app.settlement.flow_picture import NODE, End, FlowPicture

SIDE: Final = 240
_GAP, _BASELINE, _LINE = 12, 15, 20
_PAD: Final = 10


def bands(
    picture: FlowPicture, title: str, desc: str, name: Callable[[Hashable], str], money: Callable[[int], str]
) -> Drawing:
    """`name`: of an end; `money`: an amount as people write it."""
    width = picture.width + 2 * SIDE
    drawing = Drawing(width, picture.height + 2 * _PAD, title, desc)
    moved = f"translate({SIDE} {_PAD})"
    for it in picture.bands:
        said = f"{name(it.origin)} → {name(it.venue)}: {money(it.amount)}"
        drawing.shapes.append(Shape("path", f"chart-band-{it.tint}", {"d": it.path, "transform": moved}, said=said))
    right = SIDE + picture.width
    named = _names(drawing, picture.left, SIDE, SIDE - _GAP, "end", name, money)
    named = max(named, _names(drawing, picture.right, right - NODE, right + _GAP, "start", name, money))
    drawing.height = max(drawing.height, named + _PAD)
    return drawing


def _names(
    drawing: Drawing,
    ends: Sequence[End],
    x: int,
    at: int,
    anchor: Anchor,
    name: Callable[[Hashable], str],
    money: Callable[[int], str],
) -> int:
    """Write them; how far down they reach."""
    free = 0
    for end in ends:
        drawing.rect("chart-text", x, end.top + _PAD, NODE, end.height)
        # Names of thin ends, which stand close together, are moved down until each has its lines.
        top = max(free, end.top + _PAD)
        drawing.write("chart-strong", at, top + _BASELINE, shortened(name(end.of), SIDE - 2 * _GAP), anchor)
        drawing.write("chart-text", at, top + _BASELINE + _LINE, money(end.amount), anchor)
        free = top + 2 * _LINE
    return free
