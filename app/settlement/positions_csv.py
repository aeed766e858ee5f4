"""Positions as a table for a spreadsheet: French ones expect ; and a decimal comma, English ones , and a point."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from app.currencies.service import Currency
from app.money import Unit
from app.settlement.service import Position
from app.web import Texts

# A cell that begins with one of these is run as a formula by spreadsheets.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def positions_csv(found: Sequence[Position], currencies: Sequence[Currency], texts: Texts) -> str:
    """One row per venue. Money in major units; time in whole minutes, as a spreadsheet can add them."""
    french = texts.language == "fr"
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if french else ",")
    writer.writerow(
        [
            texts.gettext("Venue"),
            *[_heading(it, texts) for it in currencies],
            texts.gettext("Cash held for the network (€)"),
            texts.gettext("Claims in euros (€)"),
            texts.gettext("Net owed to the venue (€)"),
        ]
    )
    for it in found:
        cents = [it.due_cents, it.redeemable_cents, it.net_cents]
        writer.writerow(
            [
                cell(it.venue.name),
                *[figure(it.claims.get(one.code, 0), one.unit, french) for one in currencies],
                *[figure(amount, Unit.CENT, french) for amount in cents],
            ]
        )
    return out.getvalue()


def _heading(currency: Currency, texts: Texts) -> str:
    name = currency.names[texts.language]
    if currency.unit is Unit.MINUTE:
        return texts.gettext("%(name)s (minutes)", name=name)
    return f"{name} ({currency.symbol})"


def cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def figure(minor: int, unit: Unit, french: bool) -> str:
    """An amount as a spreadsheet of that language reads it: major units, or whole minutes and points."""
    if unit is not Unit.CENT:
        return str(minor)
    whole, cents = divmod(abs(minor), 100)
    return f"{'-' if minor < 0 else ''}{whole}{',' if french else '.'}{cents:02d}"
