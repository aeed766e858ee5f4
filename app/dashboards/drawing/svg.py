"""Drawings as SVG. On a page the looks come from the stylesheet, by class; a file has them in itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from markupsafe import Markup, escape

FONT_PX: Final = 14
# How wide a letter of our font is on average, in parts of its size; of short amounts, about the widest.
_LETTER: Final = 0.58
FAMILY: Final = "'Comptoir Text','Atkinson Hyperlegible Next','Atkinson Hyperlegible',system-ui,sans-serif"

_ELEMENTS: Final = {
    "rect": Markup("<rect{}>{}</rect>"),
    "line": Markup("<line{}>{}</line>"),
    "path": Markup("<path{}>{}</path>"),
    "text": Markup("<text{}>{}</text>"),
}

Anchor = Literal["start", "middle", "end"]

# The looks of a file: those of tokens.css in light, which are told apart in grey too.
LOOKS: Final[Mapping[str, Mapping[str, str]]] = {
    "chart-grid": {"stroke": "#d9d1c3", "stroke-width": "1"},
    "chart-zero": {"stroke": "#857d70", "stroke-width": "1.5"},
    "chart-bar": {"fill": "#7d1d4d", "stroke": "#7d1d4d", "stroke-width": "1.5"},
    "chart-bar-other": {"fill": "#fffdf9", "stroke": "#7d1d4d", "stroke-width": "1.5"},
    "chart-halo": {"stroke": "#ffffff", "stroke-width": "7"},
    "chart-mark": {"stroke": "#20272b", "stroke-width": "3"},
    "chart-line": {"fill": "none", "stroke": "#7d1d4d", "stroke-width": "3"},
    "chart-line-then": {"fill": "none", "stroke": "#20272b", "stroke-width": "2", "stroke-dasharray": "7 5"},
    # Told apart in grey by how dark they are; the names at both ends say which is which.
    "chart-band-1": {"fill": "#7d1d4d", "fill-opacity": "0.85"},
    "chart-band-2": {"fill": "#d9a441", "fill-opacity": "0.85"},
    "chart-band-3": {"fill": "#1f5f74", "fill-opacity": "0.85"},
    "chart-band-4": {"fill": "#9fb8a0", "fill-opacity": "0.85"},
    "chart-band-5": {"fill": "#4a3b78", "fill-opacity": "0.85"},
    "chart-band-6": {"fill": "#d58a6b", "fill-opacity": "0.85"},
    "chart-soft": {"fill": "#535b5e"},
    "chart-text": {"fill": "#20272b"},
    "chart-strong": {"fill": "#20272b", "font-weight": "700"},
}


@dataclass(frozen=True, slots=True)
class Shape:
    """One element. `said`: what it stands for, shown to who points at it."""

    tag: Literal["rect", "line", "path", "text"]
    look: str
    attributes: Mapping[str, str | int | float]
    text: str = ""
    said: str = ""


@dataclass(slots=True)
class Drawing:
    """`title` and `desc` are what a screen reader says instead of it."""

    width: int
    height: int
    title: str
    desc: str
    shapes: list[Shape] = field(default_factory=list)

    def rect(self, look: str, x: float, y: float, width: float, height: float, said: str = "") -> None:
        attributes = {"x": _n(x), "y": _n(y), "width": _n(max(0, width)), "height": _n(max(0, height))}
        self.shapes.append(Shape("rect", look, attributes, said=said))

    def line(self, look: str, x1: float, y1: float, x2: float, y2: float, said: str = "") -> None:
        self.shapes.append(Shape("line", look, {"x1": _n(x1), "y1": _n(y1), "x2": _n(x2), "y2": _n(y2)}, said=said))

    def path(self, look: str, points: Sequence[tuple[float, float]], said: str = "") -> None:
        way = "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
        self.shapes.append(Shape("path", look, {"d": way}, said=said))

    def write(self, look: str, x: float, y: float, text: str, anchor: Anchor = "start") -> None:
        where: dict[str, str | int | float] = {"x": _n(x), "y": _n(y)}
        if anchor != "start":
            where["text-anchor"] = anchor
        self.shapes.append(Shape("text", look, where, text))


def wide(text: str) -> float:
    """About how many pixels a text takes."""
    return len(text) * FONT_PX * _LETTER


def shortened(text: str, pixels: float) -> str:
    """As much of a text as there is room for; the table has it whole."""
    most = max(4, int(pixels / (FONT_PX * _LETTER)))
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def on_page(drawing: Drawing, name: str, look: str = "") -> Markup:
    """For a page that holds the stylesheet. `name` is the page's only one of its kind."""
    head = Markup('<svg class="chart {}" viewBox="0 0 {} {}" role="img" aria-labelledby="{}-t {}-d">').format(
        look, drawing.width, drawing.height, name, name
    )
    said = Markup('<title id="{}-t">{}</title><desc id="{}-d">{}</desc>').format(
        name, drawing.title, name, drawing.desc
    )
    return head + said + Markup("").join(_element(it, {}) for it in drawing.shapes) + Markup("</svg>")


def as_file(drawing: Drawing) -> str:
    """A file of its own: its heading above it, white ground, every colour said."""
    top = 34
    height = drawing.height + top
    head = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{}" height="{}" viewBox="0 {} {} {}" role="img"'
        ' font-family="{}" font-size="{}"><title>{}</title><desc>{}</desc>'
    ).format(drawing.width, height, -top, drawing.width, height, FAMILY, FONT_PX, drawing.title, drawing.desc)
    ground = Markup('<rect x="0" y="{}" width="{}" height="{}" fill="#ffffff"/>').format(-top, drawing.width, height)
    named = Shape("text", "chart-strong", {"x": 4, "y": -12}, shortened(drawing.title, drawing.width - 8))
    parts = [_element(it, LOOKS[it.look]) for it in (named, *drawing.shapes)]
    return str(head + ground + Markup("").join(parts) + Markup("</svg>"))


def _element(shape: Shape, looks: Mapping[str, str]) -> Markup:
    pairs = {**shape.attributes, **looks} if looks else {"class": shape.look, **shape.attributes}
    attributes = Markup("").join(Markup(' {}="{}"').format(name, value) for name, value in pairs.items())
    inside = escape(shape.text) if shape.text else Markup("")
    if shape.said:
        inside += Markup("<title>{}</title>").format(shape.said)
    return _ELEMENTS[shape.tag].format(attributes, inside)


def _n(value: float) -> int | float:
    """Tenths of a pixel are enough."""
    rounded = round(value, 1)
    return int(rounded) if rounded == int(rounded) else rounded
