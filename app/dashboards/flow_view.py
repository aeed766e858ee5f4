"""What a page shows of loads and spends, and of how much there is in circulation: one money at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from babel.dates import format_date

from app.currencies.service import Currency
from app.dashboards.drawing.bars import Bar, Keys, paired
from app.dashboards.drawing.lines import Line, lines
from app.dashboards.rules.flows import Flows, Step, Stretch
from app.dashboards.sections import LOCALES, Amount, Cell, Picture, Row, Section, Table, day_text, writing
from app.web import Texts


@dataclass(frozen=True, slots=True)
class FlowView:
    """`flows` by stretch of days, of the reader's venues. `stocks`: what was issued and what of it was on cards at the
    end of each stretch, of the whole network."""

    currency: Currency
    step: Step
    flows: Mapping[Stretch, Flows]
    stocks: Sequence[tuple[int, int]]
    title: str
    texts: Texts

    def total(self) -> Flows:
        whole = Flows()
        for it in self.flows.values():
            whole.loaded += it.loaded
            whole.spent += it.spent
            whole.left += it.left
        return whole

    def sections(self) -> Iterator[Section]:
        yield self._loads()
        yield self._circulation()

    def _loads(self) -> Section:
        _, total = self.texts.gettext, self.total()
        bars = [self._bar(stretch, of) for stretch, of in self.flows.items()]
        table = Table(
            [
                (_("Days"), "text"),
                (_("Loaded onto cards"), "number"),
                (_("Spent with cards"), "number"),
                (_("Refunded or lapsed"), "number"),
            ],
            [self._row(_days(it, self.step, self.texts), of) for it, of in reversed(list(self.flows.items()))],
            self._row(_("In all"), total),
        )
        picture = None
        if any(it.first or it.second for it in bars):
            desc = _(
                "Loaded: %(loaded)s. Spent: %(spent)s. The table below has all figures.",
                loaded=self._said(total.loaded),
                spent=self._said(total.spent),
            )
            keys = Keys(_("Loaded onto cards"), _("Spent with cards"))
            title = self._named(_("Loads and spends"))
            picture = Picture.of(
                lambda width: paired(width, title, desc, bars, keys, writing(self.currency, self.texts))
            )
        return Section("loads", _("Loads against spends"), table, picture)

    def _circulation(self) -> Section:
        _ = self.texts.gettext
        stretches = list(self.flows)
        rows = [
            (it.last, Amount(issued, self.currency), Amount(held, self.currency))
            for it, (issued, held) in zip(stretches, self.stocks, strict=True)
        ]
        table = Table(
            [(_("At the end of"), "text"), (_("In circulation"), "number"), (_("Of this on cards"), "number")],
            rows[::-1],
        )
        picture = None
        if any(issued for issued, _held in self.stocks):
            newest = self.stocks[-1]
            desc = _(
                "At the end: %(issued)s in circulation, of this %(held)s on cards. The table below has all figures.",
                issued=self._said(newest[0]),
                held=self._said(newest[1]),
            )
            drawn = [
                Line(_("In circulation"), [issued for issued, _held in self.stocks]),
                Line(_("Of this on cards"), [held for _issued, held in self.stocks]),
            ]
            labels = [short_text(it, self.step, self.texts) for it in stretches]
            title = self._named(_("Money in circulation"))
            picture = Picture.of(
                lambda width: lines(width, title, desc, labels, drawn, writing(self.currency, self.texts))
            )
        note = _(
            "In the whole network, at the end of each business day: what was issued and not taken back. What is not on"
            " cards is with the venues until they are settled, or set aside for cups; what cards owe is taken off."
        )
        return Section("circulation", _("Money in circulation"), table, picture, note)

    def _bar(self, stretch: Stretch, of: Flows) -> Bar:
        said = self.texts.gettext(
            "%(days)s: %(loaded)s loaded, %(spent)s spent",
            days=stretch_text(stretch, self.step, self.texts),
            loaded=self._said(of.loaded),
            spent=self._said(of.spent),
        )
        return Bar(short_text(stretch, self.step, self.texts), of.loaded, of.spent, said=said)

    def _row(self, name: Cell, of: Flows) -> Row:
        return name, *(Amount(it, self.currency) for it in (of.loaded, of.spent, of.left))

    def _said(self, minor: int) -> str:
        return self.currency.text(minor, self.texts.language)

    def _named(self, title: str) -> str:
        return f"{title}, {self.currency.names[self.texts.language]}, {self.title}"


def stretch_text(it: Stretch, step: Step, texts: Texts) -> str:
    if it.first == it.last:
        return day_text(it.first, texts)
    if step == "month":
        return format_date(it.first, "MMMM y", locale=LOCALES[texts.language])
    return texts.gettext("%(first)s to %(last)s", first=day_text(it.first, texts), last=day_text(it.last, texts))


def _days(it: Stretch, step: Step, texts: Texts) -> Cell:
    return it.first if it.first == it.last else stretch_text(it, step, texts)


def short_text(it: Stretch, step: Step, texts: Texts) -> str:
    """A stretch on an axis, by its first day or its month."""
    return format_date(it.first, "MMM y" if step == "month" else "d MMM", locale=LOCALES[texts.language])
