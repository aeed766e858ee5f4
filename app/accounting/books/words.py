"""Months and days of the books in words."""

from __future__ import annotations

from datetime import date

from babel.dates import format_date

from app.web import Texts

_LOCALES = {"fr": "fr", "en": "en_GB"}


def month_said(day: date, texts: Texts) -> str:
    """Like "novembre 2026"."""
    return format_date(day, "LLLL y", locale=_LOCALES[texts.language])


def day_said(day: date, texts: Texts) -> str:
    """Like "30 novembre 2026"."""
    words = format_date(day, "d MMMM y", locale=_LOCALES[texts.language])
    return f"1er{words[1:]}" if texts.language == "fr" and day.day == 1 else words
