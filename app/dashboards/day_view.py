"""What a page shows of a day's sales: one money at a time, of one venue or of all that the reader may see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from uuid import UUID

from app.currencies.service import Currency
from app.dashboards.drawing.bars import Bar, Draw, Keys, lying, standing
from app.dashboards.drawing.lines import Line, lines
from app.dashboards.rules.sold import CARD, Sold, Sum
from app.dashboards.sections import Amount, Head, Picture, Row, Section, Table, writing
from app.venues.service import Venue
from app.web import N_, Texts, dates

Found = tuple[str, Sum, Sum]

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
class Then:
    """An earlier day that this one is compared with. `so_far`: what had been sold by the time of day that it is now; of
    a day that is over, all of it."""

    sold: Sold
    so_far: Sold
    title: str


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
    then: Then | None = None

    @property
    def shown(self) -> frozenset[UUID]:
        return frozenset(it.id for it in self.venues)

    def total(self) -> Sum:
        return together(self._totals(self.sold))

    def so_far(self) -> Sum | None:
        """What the day that this one is compared with had come to."""
        return None if self.then is None else together(self._totals(self.then.so_far))

    def taken_back(self) -> int:
        return sum(number for venue, number in self.sold.taken_back.items() if venue in self.shown)

    def sections(self) -> Iterator[Section]:
        yield self._hours()
        if self.then is not None:
            yield self._cumulative(self.then)
        if len(self.venues) > 1:
            yield self._venues()
        yield self._products()
        yield self._means()

    def _hours(self) -> Section:
        _ = self.texts.gettext
        by_hour, then = self._by_hour(self.sold), self._by_hour(self.then.sold) if self.then else {}
        found = [(hour_text(it, self.texts), by_hour.get(it, Sum()), then.get(it, Sum())) for it in self._shown_hours()]
        if None in by_hour or None in then:
            found.append((_("Made at another time"), by_hour.get(None, Sum()), then.get(None, Sum())))
        return Section(
            "hours",
            _("Hour by hour"),
            self._table(_("Hour"), _("Sales"), found),
            self._picture(standing, _("Sales by hour"), found),
        )

    def _cumulative(self, then: Then) -> Section:
        """Both days from their beginning on; what was made at another time is in neither."""
        _, language = self.texts.gettext, self.texts.language
        hours = self._shown_hours()
        sums = [
            list(accumulate(of.get(it, Sum()).total for it in hours))
            for of in (self._by_hour(self.sold), self._by_hour(then.sold))
        ]
        known = len(hours) if self.now_hour is None else sum(it <= self.now_hour for it in hours)
        labels = [hour_text(it, self.texts) for it in hours]
        rows: list[Row] = [
            (
                label,
                *(
                    [Amount(now, self.currency), Amount(before, self.currency)]
                    if place < known
                    else [None, Amount(before, self.currency)]
                ),
            )
            for place, (label, now, before) in enumerate(zip(labels, *sums, strict=True))
        ]
        heads: list[Head] = [
            (_("Hour"), "text"),
            (dates.sentence(self.title), "number"),
            (dates.sentence(then.title), "number"),
        ]
        picture = None
        if hours and any(any(it) for it in sums):
            drawn = [Line(self.title, sums[0][:known]), Line(then.title, sums[1])]
            desc = _(
                "At the end: %(now)s; %(then)s: %(before)s. The table below has all figures.",
                now=self.currency.text(sums[0][known - 1] if known else 0, language),
                then=then.title,
                before=self.currency.text(sums[1][-1], language),
            )
            title = _("Sales up to each hour") + f", {self.currency.names[language]}"
            picture = Picture.of(
                lambda width: lines(width, title, desc, labels, drawn, writing(self.currency, self.texts))
            )
        return Section("cumulative", _("Up to each hour"), Table(heads, rows), picture)

    def _venues(self) -> Section:
        _ = self.texts.gettext
        then = self.then.sold.totals if self.then else {}
        code = self.currency.code
        found = [
            (it.name, self.sold.totals.get((it.id, code), Sum()), then.get((it.id, code), Sum())) for it in self.venues
        ]
        return self._ranked("venues", _("Venue by venue"), _("Venue"), _("Sales"), _("Sales by venue"), found)

    def _products(self) -> Section:
        _ = self.texts.gettext
        now, then = self._by_name(self.sold), self._by_name(self.then.sold) if self.then else {}
        found = [(name, now.get(name, Sum()), then.get(name, Sum())) for name in {**now, **then}]
        return self._ranked(
            "products", _("Product by product"), _("Product"), _("Pieces"), _("Sales by product"), found
        )

    def _ranked(self, name: str, heading: str, first: str, count: str, title: str, found: Sequence[Found]) -> Section:
        """What sold most first; only so many are drawn."""
        ranked = sorted(found, key=lambda it: (-it[1].total, -it[2].total, it[0].casefold()))
        sold = [it for it in ranked if it[1].total > 0]
        note = self.texts.gettext("The picture shows the first %(num)s; the table has all.", num=DRAWN_MAX)
        return Section(
            name,
            heading,
            self._table(first, count, ranked),
            self._picture(lying, title, sold[:DRAWN_MAX]),
            note if len(sold) > DRAWN_MAX else "",
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

    def _totals(self, of: Sold) -> Iterator[Sum]:
        return (it for (venue, code), it in of.totals.items() if self._is(venue, code))

    def _by_hour(self, of: Sold) -> dict[int | None, Sum]:
        found: dict[int | None, Sum] = {}
        for (venue, code, hour), it in of.hours.items():
            if self._is(venue, code):
                found.setdefault(hour, Sum()).plus(it)
        return found

    def _by_name(self, of: Sold) -> dict[str, Sum]:
        found: dict[str, Sum] = {}
        for (venue, name, code), it in of.products.items():
            if self._is(venue, code):
                found.setdefault(name, Sum()).plus(it)
        return found

    def _shown_hours(self) -> list[int]:
        days = [self.sold, *([self.then.sold] if self.then else [])]
        hours = {hour for of in days for hour in self._by_hour(of) if hour is not None}
        return spread(sorted(hours), self.now_hour, min((it.cut_off.hour for it in self.venues), default=0))

    def _table(self, first: str, count: str, found: Sequence[Found]) -> Table:
        _ = self.texts.gettext
        numbers = [count, _("Together"), _("With a card"), _("Without a card")]
        heads: list[Head] = [(first, "text"), *((it, "number") for it in numbers)]
        total = together(of for _name, of, _then in found)
        rows = [self._row(*it) for it in found]
        if self.then is not None:
            heads.append((dates.sentence(self.then.title), "number"))
        last = self._row(_("In all"), total, together(then for _name, _of, then in found))
        return Table(heads, rows, last if found else None)

    def _row(self, name: str, of: Sum, then: Sum) -> Row:
        amounts = [of.total, of.card, of.other, *([then.total] if self.then is not None else [])]
        return name, of.count, *(Amount(it, self.currency) for it in amounts)

    def _picture(self, draw: Draw, title: str, found: Sequence[Found]) -> Picture | None:
        if not any(of.total or then.total for _name, of, then in found):
            return None
        _, language = self.texts.gettext, self.texts.language
        bars = [
            Bar(
                name,
                of.card,
                of.other,
                then.total if self.then is not None else None,
                f"{name}: {self.currency.text(of.total, language)}",
            )
            for name, of, then in found
        ]
        best = max(bars, key=lambda it: it.total)
        desc = _(
            "Most: %(label)s, %(amount)s. The table below has all figures.",
            label=best.label,
            amount=self.currency.text(best.total, language),
        )
        named = f"{title}, {self.currency.names[language]}, {self.title}"
        parts = any(it.second for it in bars)
        keys = Keys()
        if parts or self.then is not None:
            keys = Keys(
                _("With a card") if parts else self.title,
                _("Without a card") if parts else "",
                self.then.title if self.then is not None else "",
            )
        how = writing(self.currency, self.texts)
        return Picture.of(lambda width: draw(width, named, desc, bars, keys, how))


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
