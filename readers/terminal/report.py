"""What a till took, as rows of a slip: the report up to now (X), and a closing (Z)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from app.money import Unit, format_amount
from app.rules.drawer import Closed, Period
from app.rules.takings import ByCurrency, ByName, Figures
from app.wire import ClosingRow, TerminalSnapshot
from readers.terminal.slip import Row, Shown, Slip

Words = Mapping[str, str]


class Reports:
    """Reports in one language. `words` are the screen's (keys "report.")."""

    def __init__(self, snapshot: TerminalSnapshot, words: Words, language: str, terminal: str) -> None:
        self._snapshot = snapshot
        self._words = words
        self._language = language
        self._terminal = terminal
        self._shown = Shown(snapshot, language)

    def now(self, period: Period, last: Closed, rates: Mapping[str, int], date: str) -> Slip:
        """Up to now, with what should be in the drawer."""
        figures, expected = period.figures, self._cents(period.holds(rates))
        lines = [*self._figures(figures), *self._moves(figures), Row("bold", self._words["report.expected"], expected)]
        head = self._head(self._words["report.now"], date)
        return Slip(head, tuple(lines), tuple(self._perpetual(last.after(figures))), "")

    def closing(self, row: ClosingRow, date: str, *, duplicate: bool) -> Slip:
        title = self._words["report.closing"].replace("{number}", str(row.number))
        head = self._head(title, date)
        if duplicate:
            head = (Row("title", self._words["report.duplicate"]), *head)
        lines = (*self._figures(row.figures), *self._moves(row.figures), *self._drawer(row))
        return Slip(head, lines, tuple(self._perpetual(row.after)), "")

    def _head(self, title: str, date: str) -> tuple[Row, ...]:
        return (
            Row("title", self._snapshot.venue_name),
            Row("title", title),
            Row("plain", self._terminal, ""),
            Row("plain", date),
        )

    def _figures(self, it: Figures) -> Iterator[Row]:
        say = self._words
        yield Row("bold", say["report.sales"], str(it.sales))
        if it.first and it.last:
            yield Row("plain", say["report.numbers"], f"{it.first} … {it.last}")
        yield from self._sums("report.total", it.total, style="bold")
        yield from self._named("report.means", it.means)
        yield from self._sums("report.deposits_out", it.deposits_out)
        yield from self._sums("report.deposits_back", it.deposits_back)
        yield from self._sums("report.tips", it.tips)
        yield from self._sums("report.given", it.given_on_top)
        if it.categories:
            yield Row("rule")
            for name, sums in sorted(it.categories.items()):
                for code, minor in sums.items():
                    yield Row("plain", name or say["report.no_category"], self._shown.amount(minor, code))
        for rate, sums in sorted(it.vat.items(), key=lambda one: int(one[0])):
            for code, minor in sums.items():
                label = say["report.vat"].replace("{rate}", _percent(int(rate), self._language))
                yield Row("plain", label, self._shown.amount(minor, code))
        yield Row("rule")
        yield from self._counted("report.voids", it.voids, it.voided)
        yield from self._counted("report.gifts", it.gifts, it.gifted)
        yield from self._counted("report.training", it.training, it.trained)
        yield from self._counted("report.credits", it.credits, it.credited)
        if it.uncredits:
            yield from self._counted("report.uncredits", it.uncredits, it.uncredited)
        yield from self._named("report.topped_up", it.topped_up)
        yield from self._named("report.refunded", it.refunded)

    def _moves(self, it: Figures) -> Iterator[Row]:
        for way, sums in (("in", it.moved_in), ("out", it.moved_out)):
            for reason, cents in sums.items():
                label = f"{self._words[f'report.moved_{way}']} {self._words[f'cash.reason.{reason}']}"
                yield Row("plain", label, self._cents(cents))

    def _drawer(self, it: ClosingRow) -> Iterator[Row]:
        say = self._words
        yield Row("rule")
        yield Row("plain", say["report.float"], self._cents(it.float_cents))
        yield Row("plain", say["report.expected"], self._cents(it.expected_cents))
        if it.counted_cents is None or it.difference_cents is None:
            yield Row("plain", say["report.not_counted"])
        else:
            for value, number in sorted(it.counted.items()):
                if number:
                    yield Row("plain", f"{number} × {self._cents(value)}", self._cents(number * value))
            yield Row("bold", say["report.counted"], self._cents(it.counted_cents))
            yield Row("bold", say["report.difference"], self._cents(it.difference_cents, signed=True))
        if it.reason:
            yield Row("plain", say["report.reason"].replace("{reason}", it.reason))
        yield Row("plain", say["report.drawer"], self._cents(it.drawer_cents))

    def _perpetual(self, closed: Closed) -> Iterator[Row]:
        it = closed.perpetual
        yield from self._sums("report.perpetual", it.total, style="bold")
        yield Row("plain", self._words["report.perpetual_sales"], str(it.sales))
        yield from self._sums("report.perpetual_voids", it.voided)

    def _sums(self, key: str, sums: ByCurrency, *, style: str = "plain") -> Iterator[Row]:
        for code, minor in sorted(sums.items()):
            text = self._shown.amount(minor, code)
            yield Row("bold" if style == "bold" else "plain", self._words[key], text)

    def _counted(self, key: str, number: int, sums: ByCurrency) -> Iterator[Row]:
        label = self._words[key].replace("{count}", str(number))
        if number and not sums:
            yield Row("plain", label)
        for code, minor in sorted(sums.items()):
            yield Row("plain", label, self._shown.amount(minor, code))

    def _named(self, key: str, named: ByName) -> Iterator[Row]:
        """`key` is the label, with a {means} in it."""
        for means, sums in sorted(named.items()):
            for code, minor in sorted(sums.items()):
                name = self._shown.name(code) if means == "card" else self._words[f"taken.{means}"]
                yield Row("plain", self._words[key].replace("{means}", name), self._shown.amount(minor, code))

    def _cents(self, cents: int, *, signed: bool = False) -> str:
        text = format_amount(cents, Unit.CENT, "€", self._language)
        return f"+{text}" if signed and cents > 0 else text


def _percent(basis_points: int, language: str) -> str:
    whole, rest = divmod(basis_points, 100)
    text = f"{whole}.{rest:02}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if language == "fr" else text
