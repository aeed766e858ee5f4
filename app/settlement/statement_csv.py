"""The statements of a run as a table with a stable layout: one row per line, in the spelling of French or English
spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from app.money import Unit
from app.settlement.positions_csv import cell, figure
from app.settlement.store import Run, Statement
from app.venues.service import Venue

HEADINGS = (
    "run",
    "venue",
    "line",
    "kind",
    "issuer",
    "currency",
    "units",
    "euros",
    "year",
    "account",
    "opening",
    "closing",
    "answer",
)


def statements_csv(run: Run, of: Sequence[tuple[Venue, Statement]], language: str) -> str:
    """`units`, `opening` and `closing`: minor units, `euros`: what the line adds to what the venue is owed. Behind the
    lines stands what of them was put off; the last rows of a venue are its net, its payment and what carries over."""
    french = language == "fr"
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if french else ",")
    writer.writerow(HEADINGS)
    for venue, statement in of:
        name, disputed = cell(venue.name), statement.disputed
        for it in statement.lines:
            answer = "disputed" if it.number in disputed else statement.answered
            euros = figure(it.cents, Unit.CENT, french)
            about = [it.number, it.kind, it.issuer, it.currency, it.units, euros, it.year or "", it.account or ""]
            writer.writerow([run.number, name, *about, it.opening, it.closing, answer])
        about_line = {it.number: it for it in statement.lines}
        for put in statement.later:
            of_line, euros = about_line[put.line], figure(-put.cents, Unit.CENT, french)
            about = [put.line, "put_off", of_line.issuer, of_line.currency, -put.units, euros, "", ""]
            writer.writerow([run.number, name, *about, "", "", statement.answered])
        figures, frozen = statement.figures, statement.frozen
        if figures is not None and frozen is not None:
            for kind, cents in (
                ("net", figures.net),
                ("payment", figures.payment),
                ("carried_over", frozen.net - figures.payment),
            ):
                writer.writerow(
                    [run.number, name, "", kind, "", "EUR", "", figure(cents, Unit.CENT, french), *[""] * 5]
                )
    return out.getvalue()
