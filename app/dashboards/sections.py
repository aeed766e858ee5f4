"""A part of a dashboard: a picture, and under it the table of the same figures. Pages show it, files take it away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal

from babel.dates import format_date
from markupsafe import Markup

from app.currencies.service import Currency
from app.dashboards.drawing import svg
from app.dashboards.drawing.frame import NARROW, WIDE, Writing
from app.dashboards.drawing.scale import tick_text
from app.dashboards.drawing.svg import Drawing
from app.money import Unit, format_amount
from app.web import Texts

LOCALES = {"fr": "fr", "en": "en_GB"}

Kind = Literal["text", "number"]


@dataclass(frozen=True, slots=True)
class Amount:
    """Minor units of a money, in a cell."""

    minor: int
    currency: Currency


Cell = str | int | Fraction | date | Amount | None
Row = Sequence[Cell]
Head = tuple[str, Kind]


@dataclass(frozen=True, slots=True)
class Table:
    """The first cell of a row is its heading."""

    heads: Sequence[Head]
    rows: Sequence[Row]
    total: Row | None = None

    @property
    def columns(self) -> list[tuple[str, str]]:
        """As the page's tables take them."""
        return [(name, "num" if kind == "number" else "") for name, kind in self.heads]


@dataclass(frozen=True, slots=True)
class Picture:
    """The same drawn for a phone and for a desk."""

    narrow: Drawing
    wide: Drawing

    @classmethod
    def of(cls, draw: Callable[[int], Drawing]) -> Picture:
        return cls(draw(NARROW), draw(WIDE))

    def on_page(self, name: str) -> Markup:
        narrow = svg.on_page(self.narrow, f"{name}-n", "chart-narrow")
        return narrow + svg.on_page(self.wide, f"{name}-w", "chart-wide")


@dataclass(frozen=True, slots=True)
class Section:
    """`name`: in its addresses. `note`: what the figures are. `picture`: None where there is nothing to draw."""

    name: str
    heading: str
    table: Table
    picture: Picture | None = None
    note: str = ""


def writing(currency: Currency, texts: Texts) -> Writing:
    return Writing(
        currency.unit,
        lambda minor: currency.text(minor, texts.language),
        lambda minor: tick_text(minor, currency.unit, currency.symbol, texts.language),
    )


def said(cell: Cell, texts: Texts) -> str:
    """A cell as people read it."""
    match cell:
        case None:
            return "–"
        case Amount():
            return cell.currency.text(cell.minor, texts.language)
        case Fraction() if cell.denominator != 1:
            # Of a bill that several pay: tenths of a piece are close enough.
            text = f"{float(cell):.1f}"
            return text.replace(".", ",") if texts.language == "fr" else text
        case int() | Fraction():
            return format_amount(int(cell), Unit.POINT, "", texts.language).strip()
        case date():
            return day_text(cell, texts)
    return cell


def day_text(day: date, texts: Texts) -> str:
    """A day in a table: "jeu. 26 nov. 2026", on one line."""
    return format_date(day, "EEE d MMM y", locale=LOCALES[texts.language]).replace(" ", "\N{NO-BREAK SPACE}")
