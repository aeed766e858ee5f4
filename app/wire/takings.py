"""From rows of a journal to what the till took: the one reading of them, at the terminal and at the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from app.rules.drawer import Closed, Period
from app.rules.takings import NO_CATEGORY, Figures, Paid, Sold, SoldLine
from app.wire.acts import CreditRow, RefundRow, TopUpRow
from app.wire.journal import AnyRow, SaleRow, VoidRow
from app.wire.sale import Sale
from app.wire.till import CashRow, ClosingRow, CountRow, SessionRow
from app.wire.training import TrainingRow


def take(period: Period, number: str, row: AnyRow, undone: AnyRow | None = None) -> None:
    """Count one committed row. `number` is its place ("epoch-sequence"); `undone`: the row that a void takes back.

    Rows that take nothing change nothing. What ends a period, its closing, is not taken: a new period begins with it.
    """
    figures = period.figures
    match row:
        case SaleRow():
            figures.sell(sold(number, row.sale))
            if row.sale.round_up is not None:
                figures.give_on_top(row.sale.round_up.currency, row.sale.round_up.amount)
        case VoidRow():
            _void(figures, number, undone)
        case TrainingRow(sale=Sale() as practised):
            figures.sell(replace(sold(number, practised), training=True))
        case TopUpRow():
            figures.top_up(row.means, row.currency, row.amount)
        case RefundRow():
            figures.refund("cash", row.currency, row.amount)
        case CreditRow():
            figures.credit(row.currency, row.amount)
        case CashRow():
            figures.move(row.direction, row.reason, row.cents)
        case SessionRow():
            period.open(str(row.id), row.at_us, str(row.cashier), row.cents)
        case CountRow():
            period.count(row.pieces, blind=row.blind)
        case _:
            pass


def close(
    period: Period, last: Closed, rates: Mapping[str, int], *, id_: UUID, cashier: UUID, at_us: int, reason: str = ""
) -> ClosingRow:
    """The row that ends a period. `rates`: euro cents per minor unit. ValueError: a difference without its reason."""
    return ClosingRow(
        id=id_,
        cashier=cashier,
        at_us=at_us,
        number=last.number + 1,
        before=last,
        after=last.after(period.figures),
        session=None if period.session is None else UUID(period.session),
        opened_at_us=period.opened_at_us,
        opened_by=None if period.opened_by is None else UUID(period.opened_by),
        float_cents=period.float_cents,
        figures=period.figures,
        rates=dict(rates),
        expected_cents=period.expected(rates),
        drawer_cents=period.holds(rates),
        counted=period.counted,
        counted_cents=period.counted_cents,
        counted_blind=period.counted_blind,
        reason=reason,
    )


def sold(number: str, sale: Sale) -> Sold:
    lines = tuple(
        SoldLine(it.category or NO_CATEGORY, it.currency, it.quantity * it.unit_price, it.kind, it.vat)
        for it in sale.lines
    )
    paid = (
        *(Paid("card", it.currency, it.amount) for it in sale.tenders),
        *(Paid(it.means, it.covers, it.amount) for it in sale.rest),
    )
    return Sold(number, sale.occurred_at_us, lines, paid)


def _void(figures: Figures, number: str, undone: AnyRow | None) -> None:
    if isinstance(undone, SaleRow):
        figures.void(sold(number, undone.sale))
    elif isinstance(undone, TopUpRow):
        # What was taken for it goes back the same way.
        figures.refund(undone.means, undone.currency, undone.amount)
    elif isinstance(undone, RefundRow):
        figures.top_up("cash", undone.currency, undone.amount)
    elif isinstance(undone, CreditRow):
        figures.uncredit(undone.currency, undone.amount)
