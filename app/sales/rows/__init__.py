"""The rows of a journal that are about sales, and what each kind of them books."""

from __future__ import annotations

from app.sales.closings import drawer
from app.sales.rows import cancel, sale, sold_out, training, void
from app.terminals.rows import HandlersOf
from app.wire import CancelRow, CashRow, SaleRow, SoldOutRow, TrainingRow, VoidRow

HANDLERS: HandlersOf = {
    SaleRow: sale.book,
    CancelRow: cancel.book,
    VoidRow: void.book,
    TrainingRow: training.book,
    SoldOutRow: sold_out.book,
    CashRow: drawer.book,
}
