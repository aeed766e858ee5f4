"""What a page shows of a day's sales: one money at a time, of one venue or of all that the reader may see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.currencies.service import Currency
from app.dashboards.drawing.bars import Bar, Draw, Keys, lying, standing
from app.dashboards.rules.sold import CARD, Sold, Sum
from app.dashboards.sections import Amount, Head, Picture, Row, Section, Table, writing
from app.venues.service import Venue
from app.web import N_, Texts

DRAWN_MAX = 12
HOURS_LEAST = 6

_MEANS: Mapping[str, str] = {
    "cash": N_("Cash"),
    "bank_card": N_("Bank card"),
    "cheque": N_("Cheque"),
    "meal_voucher": N_("Meal voucher"),
}
_ASIDE: Mapping[str, str] = {
    "deposit": N_("Of this, deposits: the customers’ money"),
    "tip": N_("Of this, tips"),
}


@dataclass(frozen=True, slots=True)
class DayView:
    """`title`: the day in words. `now_hour`: which hour it is, counted as app.dashboards.rules.sold counts; None for a
    day that is over."""

    sold: Sold
    venues: Sequence[Venue]
    currency: Currency
    known: Mapping[str, Currency]
    title: str
    now_hour: int | None
    texts: Texts

    @property
    def shown(self) -> frozenset[UUID]:
        return frozenset(it.id for it in self.venues)

    def total(self) -> Sum:
        return together(of for (venue, code), of in self.sold.totals.items() if self._is(venue, code))

    def taken_back(self) -> int:
        return sum(number for venue, number in self.sold.taken_back.items() if venue in self.shown)

    def sections(self) -> Iterator[Section]:
        yield self._hours()
        if len(self.venues) > 1:
            yield self._venues()
        yield self._products()
        yield self._means()

    def _hours(self) -> Section:
        _ = self.texts.gettext
        by_hour: dict[int | None, Sum] = {}
        for (venue, code, hour), of in self.sold.hours.items():
            if self._is(venue, code):
                by_hour.setdefault(hour, Sum()).plus(of)
        begins = min((it.cut_off.hour for it in self.venues), default=0)
        hours = spread([it for it in by_hour if it is not None], self.now_hour, begins)
        bars = [self._bar(hour_text(it, self.texts), by_hour.get(it, Sum())) for it in hours]
        rows = [self._row(hour_text(it, self.texts), by_hour.get(it, Sum())) for it in hours]
        if None in by_hour:
            rows.append(self._row(_("Made at another time"), by_hour[None]))
        return Section(
            "hours",
            _("Hour by hour"),
            Table(self._heads(_("Hour"), _("Sales")), rows, self._row(_("In all"), self.total())),
            self._picture(standing, _("Sales by hour"), bars),
        )

    def _venues(self) -> Section:
        _ = self.texts.gettext
        found = [(it.name, self.sold.totals.get((it.id, self.currency.code), Sum())) for it in self.venues]
        found.sort(key=lambda it: -it[1].total)
        sold = [(name, of) for name, of in found if of.total]
        return Section(
            "venues",
            _("Venue by venue"),
            Table(
                self._heads(_("Venue"), _("Sales")),
                [self._row(name, of) for name, of in found],
                self._row(_("In all"), self.total()),
            ),
            self._picture(lying, _("Sales by venue"), [self._bar(*it) for it in sold[:DRAWN_MAX]]),
            self._only_first(len(sold)),
        )

    def _products(self) -> Section:
        _ = self.texts.gettext
        by_name: dict[str, Sum] = {}
        for (venue, name, code), of in self.sold.products.items():
            if self._is(venue, code):
                by_name.setdefault(name, Sum()).plus(of)
        found = sorted(by_name.items(), key=lambda it: (-it[1].total, it[0].casefold()))
        sold = [(name, of) for name, of in found if of.total > 0]
        total = together(of for _name, of in found)
        return Section(
            "products",
            _("Product by product"),
            Table(
                self._heads(_("Product"), _("Pieces")),
                [self._row(*it) for it in found],
                self._row(_("In all"), total) if found else None,
            ),
            self._picture(lying, _("Sales by product"), [self._bar(*it) for it in sold[:DRAWN_MAX]]),
            self._only_first(len(sold)),
        )

    def _means(self) -> Section:
        """Every money, for they stand beside each other here."""
        _, sold = self.texts.gettext, self.sold
        paid = summed((means, code, minor) for (at, means, code), minor in sold.means.items() if at in self.shown)
        aside = summed((kind, code, minor) for (at, kind, code), minor in sold.aside.items() if at in self.shown)
        gifts: dict[str, int] = {}
        for (at, code), of in sold.gifts.items():
            if at in self.shown:
                gifts[code] = gifts.get(code, 0) + of.total
        found: list[tuple[str, str, int]] = []
        for code in self.known:
            found.append((_("Cards of the network"), code, paid.get((CARD, code), 0)))
            found += [(_(name), code, paid.get((means, code), 0)) for means, name in _MEANS.items()]
            found += [(_(name), code, aside.get((kind, code), 0)) for kind, name in _ASIDE.items()]
            found.append((_("Beside it, offered by the house"), code, gifts.get(code, 0)))
        heads: list[Head] = [(_("Paid by"), "text"), (_("Money"), "text"), (_("Amount"), "number")]
        rows: list[Row] = [
            (name, self.known[code].names[self.texts.language], Amount(minor, self.known[code]))
            for name, code, minor in found
            if minor
        ]
        return Section(
            "means",
            _("What paid it"),
            Table(heads, rows),
            note=_(
                "What customers owed, deposits and tips included. A card may pay a price with another money: then it"
                " stands here under the money that paid."
            ),
        )

    def _is(self, venue: UUID, code: str) -> bool:
        return code == self.currency.code and venue in self.shown

    def _heads(self, first: str, count: str) -> list[Head]:
        _ = self.texts.gettext
        numbers = [count, _("Together"), _("With a card"), _("Without a card")]
        return [(first, "text"), *((it, "number") for it in numbers)]

    def _row(self, name: str, of: Sum) -> Row:
        return name, of.count, *(Amount(it, self.currency) for it in (of.total, of.card, of.other))

    def _bar(self, label: str, of: Sum) -> Bar:
        text = self.currency.text(of.total, self.texts.language)
        return Bar(label, of.card, of.other, said=f"{label}: {text}")

    def _picture(self, draw: Draw, title: str, bars: Sequence[Bar]) -> Picture | None:
        if not any(it.total for it in bars):
            return None
        _, language = self.texts.gettext, self.texts.language
        best = max(bars, key=lambda it: it.total)
        desc = _(
            "Most: %(label)s, %(amount)s. The table below has all figures.",
            label=best.label,
            amount=self.currency.text(best.total, language),
        )
        named = f"{title}, {self.currency.names[language]}, {self.title}"
        keys = Keys(_("With a card"), _("Without a card")) if any(it.second for it in bars) else Keys()
        how = writing(self.currency, self.texts)
        return Picture.of(lambda width: draw(width, named, desc, bars, keys, how))

    def _only_first(self, number: int) -> str:
        if number <= DRAWN_MAX:
            return ""
        return self.texts.gettext("The picture shows the first %(num)s; the table has all.", num=DRAWN_MAX)


def together(parts: Iterable[Sum]) -> Sum:
    whole = Sum()
    for it in parts:
        whole.plus(it)
    return whole


def summed(found: Iterable[tuple[str, str, int]]) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = {}
    for name, code, minor in found:
        sums[name, code] = sums.get((name, code), 0) + minor
    return sums


def spread(hours: Sequence[int], now_hour: int | None, begins: int) -> list[int]:
    """All hours from the first to the last that has something, and up to now; some before, where they are few, but none
    before the day `begins`."""
    seen = [*hours, *([now_hour] if now_hour is not None else [])]
    if not seen:
        return []
    return list(range(max(min(begins, *seen), min(*seen, max(seen) - HOURS_LEAST + 1)), max(seen) + 1))


def hour_text(hour: int, texts: Texts) -> str:
    """The hour that begins then."""
    return f"{hour % 24}\N{NO-BREAK SPACE}h" if texts.language == "fr" else f"{hour % 24}:00"
