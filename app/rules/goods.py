"""What may be said of a product, the same on a page and in a network's file."""

from __future__ import annotations

import re
from typing import Final

from app.rules.lines import ProductKind

LINE_MAX: Final = 80
VAT_MAX: Final = 10_000
COLOUR: Final = "#5b9bd5"
COLOUR_PATTERN: Final = r"^#[0-9a-f]{6}$"


def is_line(text: str) -> bool:
    """Whether it is a name to show: something, on one line, without blanks around it."""
    return bool(text.strip()) and text == text.strip() and text.isprintable()


def is_colour(text: str) -> bool:
    return re.fullmatch(COLOUR_PATTERN, text) is not None


def is_vat(rate: int) -> bool:
    """Whether a rate in basis points is one of VAT."""
    return 0 <= rate <= VAT_MAX


def may_be_open(kind: ProductKind) -> bool:
    """Whether staff may type its price: a cup's deposit is given back as it was paid."""
    return kind == "goods"
