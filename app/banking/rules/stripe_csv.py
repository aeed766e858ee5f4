"""Stripe's payout reconciliation report, itemized (docs.stripe.com/reports/report-types/payout-reconciliation).

A row is one balance transaction: `gross`, `fee` and `net` in major units, `net` = `gross` - `fee`; what goes out is
below zero. `reporting_category` says what it is; `automatic_payout_id` which payout it came with. The day's column may
end in `_utc`, as the report's version has it, and the decimal separator may be a comma.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from app.banking.rules.lines import NotAStatement

PROVIDER = "stripe"

_AMOUNT = re.compile(r"(?P<sign>-?)(?P<whole>\d{1,12})(?:[.,](?P<part>\d{1,2}))?")
_NEEDED = ("balance_transaction_id", "currency", "gross", "fee", "net", "reporting_category")
_DAYS = ("automatic_payout_effective_at", "automatic_payout_effective_at_utc")
# What may name the payment, the surest first.
_NAMES = ("payment_metadata[topup]", "payment_intent_id", "charge_id", "source_id")
# The payout itself, where a report lists it.
_PAYOUTS = frozenset({"payout", "payout_reversal"})


@dataclass(frozen=True, slots=True)
class PayoutLine:
    """Euro cents. `key`: the provider's name for the row; `source`: for what it is about, as a dispute; `names`: by
    which a payment may be known."""

    key: str
    payout: str
    day: date
    category: str
    gross_cents: int
    fee_cents: int
    net_cents: int
    source: str
    names: tuple[str, ...]
    text: str


def read_stripe(content: bytes) -> list[PayoutLine]:
    """Raises NotAStatement("no-columns", "not-in-euros", "bad-amount", "bad-day", "does-not-add-up", "no-lines")."""
    text = content.decode("utf-8-sig", "replace")
    first = text.partition("\n")[0]
    separator = max((",", ";", "\t"), key=first.count)
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise NotAStatement("no-columns") from error
    heads = rows[0].keys() if rows else ()
    if not rows:
        raise NotAStatement("no-lines")
    if any(it not in heads for it in (*_NEEDED, "automatic_payout_id")) or not any(it in heads for it in _DAYS):
        raise NotAStatement("no-columns")
    found = [_line(row, number) for number, row in enumerate(rows, 2) if row["reporting_category"] not in _PAYOUTS]
    if not found:
        raise NotAStatement("no-lines")
    return found


def _line(row: Mapping[str, str | None], at: int) -> PayoutLine:
    def cell(name: str) -> str:
        return (row.get(name) or "").strip()

    if cell("currency").lower() != "eur":
        raise NotAStatement("not-in-euros", str(at))
    if not cell("balance_transaction_id") or not cell("automatic_payout_id"):
        raise NotAStatement("no-columns", str(at))
    gross, fee, net = (_cents(cell(it), at) for it in ("gross", "fee", "net"))
    if gross - fee != net:
        raise NotAStatement("does-not-add-up", str(at))
    day = next((it for name in _DAYS if (it := cell(name))), "")
    return PayoutLine(
        cell("balance_transaction_id"),
        cell("automatic_payout_id"),
        _day(day, at),
        cell("reporting_category"),
        gross,
        fee,
        net,
        cell("source_id"),
        tuple(it for name in _NAMES if (it := cell(name))),
        cell("description"),
    )


def _cents(text: str, at: int) -> int:
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise NotAStatement("bad-amount", str(at))
    cents = int(match["whole"]) * 100 + int((match["part"] or "0").ljust(2, "0"))
    return -cents if match["sign"] else cents


def _day(text: str, at: int) -> date:
    """The day of "2026-11-20" or "2026-11-20 00:00:00"."""
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise NotAStatement("bad-day", str(at)) from error


def fees_of(lines: Sequence[PayoutLine]) -> int:
    """What the provider kept of a payout for its work, in euro cents. A dispute's fee is booked with the dispute."""
    kept = sum(it.fee_cents for it in lines if it.category not in DISPUTES)
    return kept - sum(it.gross_cents for it in lines if it.category in FEES)


FEES = frozenset({"fee", "network_cost", "tax"})
DISPUTES = frozenset({"dispute", "dispute_reversal", "charge_failure"})
