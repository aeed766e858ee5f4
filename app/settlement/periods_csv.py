"""The figures of a period as a table for a spreadsheet: one row for each figure, so that pivots can be made of it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from app.currencies.service import Currency
from app.money import Unit
from app.settlement.periods import Flow, Name, Taken, VenuePeriod
from app.settlement.positions_csv import cell, figure
from app.web import Texts


def periods_csv(
    found: Sequence[VenuePeriod],
    elsewhere: Mapping[str, Taken],
    known: Mapping[str, Currency],
    names: Mapping[Name, str],
    texts: Texts,
) -> str:
    """Venue, money, what, amount (major units; time in minutes), transfers. `elsewhere`: by money, at no venue."""
    french = texts.language == "fr"
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if french else ",")
    _ = texts.gettext
    writer.writerow([_("Venue"), _("Money"), _("What"), _("Amount"), _("Transfers")])
    opening, closing = _("Opening"), _("Closing")
    for it in found:
        venue = cell(it.venue.name)
        for code, taken in it.taken.items():
            unit = known[code].unit
            rows = [(opening, taken.opening, ""), *_rows(taken.flows, names), (closing, taken.closing, "")]
            for what, amount, transfers in [*rows, *_rows(taken.aside, names)]:
                writer.writerow([venue, code, what, figure(amount, unit, french), transfers])
        due = [(opening, it.due.opening, ""), *_rows(it.due.flows, names), (closing, it.due.closing, "")]
        for what, amount, transfers in due:
            label = _("Cash held for the network: %(what)s", what=what)
            writer.writerow([venue, "EUR", label, figure(amount, Unit.CENT, french), transfers])
    for code, taken in elsewhere.items():
        for what, amount, transfers in _rows(taken.aside, names):
            nowhere = [_("Online or elsewhere"), code, what, figure(amount, known[code].unit, french), transfers]
            writer.writerow(nowhere)
    return out.getvalue()


def _rows(flows: Mapping[Name, Flow], names: Mapping[Name, str]) -> list[tuple[str, int, int | str]]:
    return [(names[name], it.amount, it.transfers) for name, it in flows.items()]
