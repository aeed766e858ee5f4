"""Lines over time, each named where it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.dashboards.drawing.frame import Writing, framed, legend
from app.dashboards.drawing.svg import Drawing

LOOKS = ("chart-line", "chart-line-then")
_APART = 18


@dataclass(frozen=True, slots=True)
class Line:
    """One amount for each label, as far as it goes. The first line is drawn thick, a second one dashed."""

    name: str
    amounts: Sequence[int]


def lines(width: int, title: str, desc: str, labels: Sequence[str], drawn: Sequence[Line], writing: Writing) -> Drawing:
    """From zero; the last amount of each stands at its end."""
    drawing = Drawing(width, 0, title, desc)
    looks = list(zip(LOOKS, drawn, strict=False))
    top = legend(drawing, [(look, it.name) for look, it in looks]) + 24
    frame = framed(drawing, top, [amount for it in drawn for amount in it.amounts], labels, writing)
    ends: list[float] = []
    # The first lies on top.
    for look, it in reversed(looks):
        points = [(frame.middle(place), frame.at(amount)) for place, amount in enumerate(it.amounts)]
        if len(points) == 1:
            points.append((points[0][0] + 4, points[0][1]))
        if points:
            drawing.path(look, points, it.name)
            y = points[-1][1] - 8
            while any(abs(y - other) < _APART for other in ends):
                y -= _APART
            ends.append(y)
            drawing.write("chart-strong", min(points[-1][0] + 6, width - 2), y, writing.full(it.amounts[-1]), "end")
    return drawing
