"""The ledger as CSV: RFC 4180 (commas, CRLF), UTF-8 without a byte order mark, made page by page as it is sent.

Every amount stands twice: in minor units, for programs, and behind it as text (12.50, or 2:30 for hours). Times too:
microseconds since the epoch, and UTC in ISO 8601. Columns keep their names and places; new ones are added at the end.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from app.ledger.rules.kinds import AccountKey
from app.ledger.service import (
    BookedOperation,
    History,
    Line,
    LineFilter,
    Moment,
    OperationFilter,
    StatementPage,
    TrialRow,
)
from app.money import Unit

PAGE = 500

Cell = str | int | bool | None

# OWASP, "CSV Injection": a spreadsheet runs a cell that begins with one of these (the last four are full-width).
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_NUMBER = re.compile(r"-?\d+([.:]\d+)?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CALENDAR_END_US = (datetime(9999, 12, 31, tzinfo=UTC) - _EPOCH) // timedelta(microseconds=1)

STATEMENT_COLUMNS = (
    "transfer",
    "seq",
    "operation",
    "kind",
    "occurred_at_us",
    "occurred_at",
    "booked_at_us",
    "booked_at",
    "business_day",
    "currency",
    "change",
    "change_text",
    "balance_after",
    "balance_after_text",
    "other_account",
    "other_kind",
    "other_owner",
    "venue",
    "terminal",
    "actor",
    "reverses",
)

TRIAL_COLUMNS = (
    "issuer",
    "book",
    "currency",
    "account",
    "kind",
    "owner",
    "debit",
    "debit_text",
    "credit",
    "credit_text",
)

OPERATION_COLUMNS = (
    "seq",
    "operation",
    "kind",
    "occurred_at_us",
    "occurred_at",
    "booked_at_us",
    "booked_at",
    "business_day",
    "late",
    "venue",
    "terminal",
    "actor",
    "reverses",
    "transfer",
    "issuer",
    "book",
    "currency",
    "amount",
    "amount_text",
    "debit_account",
    "debit_kind",
    "debit_owner",
    "credit_account",
    "credit_kind",
    "credit_owner",
)


def csv_text(rows: Iterable[Sequence[Cell]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([_safe(cell) for cell in row] for row in rows)
    return out.getvalue()


def _safe(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    text = str(cell)
    if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def amount_text(minor: int, unit: Unit) -> str:
    """(1250, CENT) is "12.50", (150, MINUTE) is "2:30", (7, POINT) is "7"."""
    if unit is Unit.POINT:
        return str(minor)
    whole, rest = divmod(abs(minor), 60 if unit is Unit.MINUTE else 100)
    return f"{'-' if minor < 0 else ''}{whole}{':' if unit is Unit.MINUTE else '.'}{rest:02d}"


def utc_text(at_us: int) -> str:
    """Empty for what no calendar reaches: a device's clock may say anything."""
    if not 0 <= at_us < _CALENDAR_END_US:
        return ""
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def unit_of(currency: str, units: Mapping[str, Unit]) -> Unit:
    """Euros are cents, whether or not the network has a currency of that name."""
    return Unit.CENT if currency == "EUR" else units.get(currency, Unit.POINT)


async def statement_csv(
    history: History, page: StatementPage, which: LineFilter, units: Mapping[str, Unit]
) -> AsyncIterator[str]:
    """All lines between the page's two moments, oldest first, whatever page it is."""
    yield csv_text([STATEMENT_COLUMNS])
    currency = page.account.key.book.currency
    unit, cursor = unit_of(currency, units), None
    while True:
        lines, cursor = await history.lines(page.account.id, page.opened, page.closed, which, cursor=cursor, limit=PAGE)
        if lines:
            yield csv_text(_statement_row(line, currency, unit) for line in lines)
        if cursor is None:
            return


def _statement_row(line: Line, currency: str, unit: Unit) -> Sequence[Cell]:
    it = line.booked
    return (
        it.transfer,
        it.seq,
        str(it.operation),
        it.kind,
        it.occurred_at_us,
        utc_text(it.occurred_at_us),
        it.booked_at_us,
        utc_text(it.booked_at_us),
        it.business_day.isoformat(),
        currency,
        it.change,
        amount_text(it.change, unit),
        it.after,
        amount_text(it.after, unit),
        line.other,
        line.other_kind,
        line.other_owner,
        _id(it.venue),
        _id(it.terminal),
        it.actor,
        _id(it.reverses),
    )


async def trial_balance_csv(history: History, at: Moment, units: Mapping[str, Unit]) -> AsyncIterator[str]:
    """Every account at that moment, in the order of their numbers."""
    yield csv_text([TRIAL_COLUMNS])
    after = 0
    while rows := await history.trial_rows(at, after=after, limit=PAGE):
        yield csv_text(_trial_row(row, unit_of(row.key.book.currency, units)) for row in rows)
        after = rows[-1].id


def _trial_row(row: TrialRow, unit: Unit) -> Sequence[Cell]:
    book = row.key.book
    sides = (row.debit, amount_text(row.debit, unit), row.credit, amount_text(row.credit, unit))
    return (book.issuer, book.kind, book.currency, row.id, row.key.kind, row.key.owner, *sides)


async def operations_csv(
    history: History, opened: Moment, closed: Moment, which: OperationFilter, units: Mapping[str, Unit]
) -> AsyncIterator[str]:
    """One row for each transfer of the operations between two moments, oldest first."""
    yield csv_text([OPERATION_COLUMNS])
    cursor = None
    while True:
        page = await history.operations(opened, closed, which, cursor=cursor, limit=PAGE, newest=False)
        if page.operations:
            yield csv_text(row for it in page.operations for row in _operation_rows(it, page.accounts, units))
        if (cursor := page.next) is None:
            return


def _operation_rows(
    it: BookedOperation, accounts: Mapping[int, AccountKey], units: Mapping[str, Unit]
) -> Iterable[Sequence[Cell]]:
    for t in it.transfers:
        debit, credit = accounts[t.debit], accounts[t.credit]
        book = debit.book
        yield (
            it.seq,
            str(it.id),
            it.kind,
            it.occurred_at_us,
            utc_text(it.occurred_at_us),
            it.booked_at_us,
            utc_text(it.booked_at_us),
            it.business_day.isoformat(),
            it.late,
            _id(it.venue),
            _id(it.terminal),
            it.actor,
            _id(it.reverses),
            t.id,
            book.issuer,
            book.kind,
            book.currency,
            t.amount,
            amount_text(t.amount, unit_of(book.currency, units)),
            t.debit,
            debit.kind,
            debit.owner,
            t.credit,
            credit.kind,
            credit.owner,
        )


def _id(id_: object | None) -> str | None:
    return None if id_ is None else str(id_)
