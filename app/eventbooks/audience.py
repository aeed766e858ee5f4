"""Who came, in numbers: by price, and by the hour in which they came in. Nobody is named, and to others than the
event's own venue groups are not told in which somebody could be recognised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from uuid import UUID

from app.dashboards.sections import Head, Row, Section, Table
from app.eventbooks.rules import FEW, Came, Crowd, Tariff, crowds, too_few
from app.web import Texts
from app.web.dates import moment


@dataclass(frozen=True, slots=True)
class Audience:
    """`whole`: the reader is of the event's own venue, which stands at the door anyway."""

    tickets: Sequence[Came]
    tariffs: Sequence[Tariff]
    zone: str
    texts: Texts
    whole: bool

    def sections(self) -> Iterator[Section]:
        found = crowds(self.tickets, [it.id for it in self.tariffs])
        hidden = set() if self.whole else too_few([(it.entered or 0, it.absent or 0) for it in found.values()])
        # What is hidden would be told by the sum, where it is one group alone or the sum is as small.
        came = sum(it.entered or 0 for it in found.values())
        away = sum(it.absent or 0 for it in found.values())
        summed = self.whole or (len(hidden) != 1 and not too_few([(came, away)]))
        yield self._prices(found, hidden, (came, away) if summed else (None, None))
        yield self._hours(summed)

    def _prices(
        self, found: Mapping[UUID, Crowd], hidden: AbstractSet[int], total: tuple[int | None, int | None]
    ) -> Section:
        _ = self.texts.gettext
        heads: list[Head] = [(_("Price"), "text")]
        heads += [(said, "number") for said in (_("Tickets"), _("Came in"), _("Did not come"))]
        names = {it.id: it.name(self.texts.language) for it in self.tariffs}
        rows: list[Row] = []
        for place, (price, it) in enumerate(found.items()):
            told = (None, None) if place in hidden else (it.entered, it.absent)
            rows.append((names[price], it.sold, *told))
        sum_ = (_("In all"), sum(it.sold for it in found.values()), *total)
        note = _(
            "Tickets that hold, and those of them that a terminal saw come in. Until the end others may still come."
        )
        return Section("audience", _("Who came"), Table(heads, rows, sum_ if rows else None), None, self._noted(note))

    def _hours(self, summed: bool) -> Section:
        _ = self.texts.gettext
        heads: list[Head] = [(_("Hour"), "text"), (_("Came in"), "number")]
        hours = Counter(it.hour_us for it in self.tickets if it.state == "valid" and it.hour_us is not None)
        counts = sorted(hours.items()) if summed else []
        hidden = set() if self.whole else too_few([(number,) for _hour, number in counts])
        rows: list[Row] = [
            (moment(hour, self.zone, self.texts), None if place in hidden else number)
            for place, (hour, number) in enumerate(counts)
        ]
        # One hour alone that is not told would be the sum of the other table.
        rows = [] if len(hidden) == 1 else rows
        note = _("When each ticket came in for the first time.")
        return Section("entries", _("By the hour in which they came in"), Table(heads, rows), None, self._noted(note))

    def _noted(self, note: str) -> str:
        if self.whole:
            return note
        few = self.texts.gettext(
            "Groups of fewer than %(few)s people are told to the event’s own venue alone (–).", few=FEW
        )
        return f"{note} {few}"
