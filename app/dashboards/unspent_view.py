"""What a page shows of money that is still on cards: how it was spent so far, and what of it is expected to stay."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from app.currencies.service import Currency
from app.dashboards.drawing.bars import Bar, Keys, lying, standing
from app.dashboards.drawing.frame import Writing
from app.dashboards.sections import Amount, Picture, Row, Section, Table, writing
from app.rules.unspent import Load, Stretch, stretches, unspent_after
from app.web import Texts

AHEAD: Final = (7, 30, 91)


@dataclass(frozen=True, slots=True)
class UnspentView:
    currency: Currency
    loads: Sequence[Load]
    texts: Texts

    @property
    def on_cards(self) -> int:
        return sum(it.left for it in self.loads)

    def expected(self) -> list[tuple[str, int | None]]:
        """Now and later; None: too little is known to say."""
        _ = self.texts.gettext
        later = [(_("In %(days)s days", days=days), unspent_after(self.loads, days)) for days in AHEAD]
        return [(_("Now"), self.on_cards), *later]

    def sections(self) -> Iterator[Section]:
        yield self._forecast()
        yield self._ages()

    def _forecast(self) -> Section:
        _, expected = self.texts.gettext, self.expected()
        rows: list[Row] = [
            (when, _("not enough is known"), "–")
            if amount is None
            else (when, Amount(amount, self.currency), self._percent(_share(amount, self.on_cards)))
            for when, amount in expected
        ]
        bars = [self._bar(when, amount) for when, amount in expected if amount is not None]
        picture = None
        if len(bars) > 1 and self.on_cards:
            desc = _("Now: %(now)s. The table below has all figures.", now=self._said(self.on_cards))
            title = _("Expected on cards") + f", {self.currency.names[self.texts.language]}"
            how = writing(self.currency, self.texts)
            picture = Picture.of(lambda width: lying(width, title, desc, bars, Keys(), how))
        return Section(
            "forecast",
            _("What is expected to stay unspent"),
            Table([(_("When"), "text"), (_("Expected on cards"), "number"), (_("Share"), "number")], rows),
            picture,
            _(
                "Without new loads, and if people go on spending as they did: of all loads of an age, the table"
                " below says what share is unspent; what is on cards now shrinks from the share of its age to that"
                " of the age that it will have. Money older than any load we know stays as it is. Nothing is said"
                " before loads were made on ten days and reach back twice as far as one looks ahead. It is no"
                " promise: a festival or a closed month changes it."
            ),
        )

    def _ages(self) -> Section:
        _, found = self.texts.gettext, [it for it in stretches(self.loads) if it.loaded]
        rows: list[Row] = [
            (
                self._age(it),
                Amount(it.loaded, self.currency),
                Amount(it.left, self.currency),
                self._percent(it.share or Fraction(0)),
            )
            for it in found
        ]
        bars = [Bar(self._age(it, short=True), round(100 * (it.share or 0)), said=self._age(it)) for it in found]
        picture = None
        if bars:
            desc = _("Days since it was loaded, and how much of it is unspent. The table below has all figures.")
            title = _("Unspent by age") + f", {self.currency.names[self.texts.language]}"
            how = Writing(None, self._whole_percent, self._whole_percent)
            picture = Picture.of(lambda width: standing(width, title, desc, bars, Keys(), how))
        return Section(
            "ages",
            _("How fast loads are spent"),
            Table(
                [
                    (_("Days since it was loaded"), "text"),
                    (_("Loaded"), "number"),
                    (_("Still on cards"), "number"),
                    (_("Share counted with"), "number"),
                ],
                rows,
            ),
            picture,
            _(
                "The share counted with never grows with age: where older loads were spent less, it is that of"
                " the younger ones."
            ),
        )

    def _bar(self, label: str, amount: int) -> Bar:
        return Bar(label, amount, said=f"{label}: {self._said(amount)}")

    def _said(self, minor: int) -> str:
        return self.currency.text(minor, self.texts.language)

    def _age(self, it: Stretch, *, short: bool = False) -> str:
        if it.last is None:
            return f"{it.first} +" if short else self.texts.gettext("%(days)s and more", days=it.first)
        if it.first == it.last:
            return str(it.first)
        return f"{it.first}\N{EN DASH}{it.last}"

    def _percent(self, share: Fraction) -> str:
        text = f"{float(100 * share):.1f}"
        return f"{text.replace('.', ',') if self.texts.language == 'fr' else text}\N{NO-BREAK SPACE}%"

    def _whole_percent(self, percent: int) -> str:
        return f"{percent}\N{NO-BREAK SPACE}%"


def _share(part: int, whole: int) -> Fraction:
    return Fraction(part, whole) if whole else Fraction(0)
