"""Rates as people type and read them: "5", "5 %", "3,15 %". Kept in basis points: 500 is 5 %."""

from __future__ import annotations

import re


class RateNotUnderstood(ValueError):
    """What was typed is no rate."""


def parse_rate(typed: str) -> int:
    """Basis points, to two decimals. RateNotUnderstood."""
    match = re.fullmatch(r"([0-9]{1,3})(?:[.,]([0-9]{1,2}))?", re.sub(r"[\s\u00a0\u202f%]", "", typed))
    if match is None:
        raise RateNotUnderstood(typed)
    return int(match[1]) * 100 + int((match[2] or "0").ljust(2, "0"))


def format_rate(basis_points: int, language: str) -> str:
    """As `parse_rate` reads it back, without a sign: "3,15", "5.5"."""
    whole, part = divmod(basis_points, 100)
    if not part:
        return str(whole)
    return f"{whole}{',' if language == 'fr' else '.'}{part:02d}".rstrip("0")
