"""Closed months of one exercise as an accountant reads them: trial balance, VAT by rate, journals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from app.accounting.books.entries import JOURNALS, JournalCode
from app.accounting.books.keeping import Books
from app.sales.closings.document import BooksFigures, JournalTotals
from app.sales.closings.store import Sealed


@dataclass(frozen=True, slots=True)
class TrialRow:
    """One account, in euro cents. `opening` and `closing`: debit above 0; what an exercise carried over is in its first
    month's movement."""

    account: str
    name: str
    opening: int
    debit: int
    credit: int

    @property
    def closing(self) -> int:
        return self.opening + self.debit - self.credit


@dataclass(frozen=True, slots=True)
class VatRow:
    """Of a rate in basis points (None: of lines that bear none), euro cents without tax and the tax."""

    rate: int | None
    net: int
    tax: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some closed months of an exercise that follow each other, and those of it that stand before them."""

    books: Books
    exercise: int
    months: tuple[Sealed, ...]
    earlier: tuple[Sealed, ...] = ()

    @property
    def first_day(self) -> date:
        return self.months[0].document.day

    @property
    def last_day(self) -> date:
        return next(_figures(self.months[::-1])).last_day

    @property
    def names(self) -> dict[str, str]:
        """Accounts as they were called last."""
        return {
            number: it.name
            for figures in _figures((*self.earlier, *self.months))
            for number, it in figures.accounts.items()
        }

    @property
    def parties(self) -> dict[str, tuple[str, str]]:
        return {key: it for figures in _figures((*self.earlier, *self.months)) for key, it in figures.parties.items()}

    def trial_balance(self) -> list[TrialRow]:
        opening = _sums(self.earlier)
        moved = _sums(self.months)
        return [
            TrialRow(number, name, *_opening(opening.get(number)), *moved.get(number, (0, 0)))
            for number, name in sorted(self.names.items())
        ]

    def vat(self) -> list[VatRow]:
        found: dict[int | None, tuple[int, int]] = {}
        for figures in _figures(self.months):
            for key, (net, tax) in figures.vat.items():
                rate = None if key == "none" else int(key)
                before = found.get(rate, (0, 0))
                found[rate] = (before[0] + net, before[1] + tax)
        return [VatRow(rate, *found[rate]) for rate in sorted(found, key=lambda it: -1 if it is None else it)]

    def journals(self) -> dict[JournalCode, JournalTotals]:
        """The entries that these months added to each journal, which have no gap."""
        found: dict[JournalCode, JournalTotals] = {}
        for code in JOURNALS:
            parts = [it.journals[code] for it in _figures(self.months) if code in it.journals]
            if parts:
                cents = sum(it.cents for it in parts)
                found[code] = JournalTotals(first=parts[0].first, last=parts[-1].last, cents=cents)
        return found


def _figures(months: Iterable[Sealed]) -> Iterator[BooksFigures]:
    for it in months:
        if it.document.books is not None:
            yield it.document.books


def _sums(months: Iterable[Sealed]) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    for figures in _figures(months):
        for number, it in figures.accounts.items():
            debit, credit = found.get(number, (0, 0))
            found[number] = (debit + it.debit, credit + it.credit)
    return found


def _opening(sums: tuple[int, int] | None) -> tuple[int]:
    return (0,) if sums is None else (sums[0] - sums[1],)
