"""What a page shows of how busy tills are, and of what they have not sent yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.dashboards.drawing.bars import Bar, Draw, Keys, lying, standing
from app.dashboards.drawing.frame import Writing
from app.dashboards.drawing.scale import tick_text
from app.dashboards.rules.rush import STEP_US, STEPS, Pace
from app.dashboards.sections import Head, Picture, Row, Section, Table
from app.web import Texts, dates


@dataclass(frozen=True, slots=True)
class Till:
    """`waiting` rows were not sent when it was last heard, the oldest for `oldest_s` up to now."""

    id: UUID
    name: str
    venue: str
    zone: str
    pace: Pace
    waiting: int
    oldest_s: int | None
    silent_s: int

    @property
    def where(self) -> str:
        return f"{self.name} · {self.venue}"


@dataclass(frozen=True, slots=True)
class RushView:
    """`durations`: in words, by the seconds that are told of tills."""

    tills: Sequence[Till]
    now_us: int
    zone: str
    durations: Mapping[int, str]
    texts: Texts

    def steps(self) -> list[int]:
        return [sum(it.pace.steps[place] for it in self.tills) for place in range(STEPS)]

    def sections(self) -> Iterator[Section]:
        yield self._minutes()
        yield self._tills()
        yield self._waiting()

    def _minutes(self) -> Section:
        _, steps = self.texts.gettext, self.steps()
        labels = [
            dates.clock(dates.local(self.now_us - STEP_US * (STEPS - place), self.zone), self.texts)
            for place in range(STEPS)
        ]
        bars = [self._bar(label, number) for label, number in zip(labels, steps, strict=True)]
        return Section(
            "minutes",
            _("The last hour, in five minutes each"),
            Table([(_("Five minutes from"), "text"), (_("Sales"), "number")], list(zip(labels, steps, strict=True))),
            self._picture(standing, _("Sales in the last hour"), bars),
        )

    def _tills(self) -> Section:
        _ = self.texts.gettext
        found = sorted(self.tills, key=lambda it: (-it.pace.sales, it.name.casefold()))
        numbers = [_("Sales in the last hour"), _("A minute"), _("Most in five minutes"), _("Between two sales")]
        heads: list[Head] = [(_("Terminal"), "text"), (_("Venue"), "text"), *((it, "number") for it in numbers)]
        rows: list[Row] = [
            (
                it.name,
                it.venue,
                it.pace.sales,
                it.pace.a_minute,
                max(it.pace.steps),
                None if it.pace.apart_s is None else self.durations[it.pace.apart_s],
                None
                if it.pace.last_at_us is None
                else dates.when(it.pace.last_at_us, it.zone, self.now_us, self.texts),
            )
            for it in found
        ]
        selling = [self._bar(it.where, it.pace.sales) for it in found if it.pace.sales]
        return Section(
            "tills",
            _("Till by till"),
            Table([*heads, (_("Last sale"), "text")], rows),
            self._picture(lying, _("Sales in the last hour by till"), selling),
            _(
                "How busy a till is, not how many people wait: nobody counts those. Between two sales: half of the time"
                " it is less; said from five sales on."
            ),
        )

    def _waiting(self) -> Section:
        _ = self.texts.gettext
        found = sorted((it for it in self.tills if it.waiting), key=lambda it: (-it.waiting, it.name.casefold()))
        rows: list[Row] = [
            (
                it.name,
                it.venue,
                it.waiting,
                None if it.oldest_s is None else self.durations[it.oldest_s],
                self.durations[it.silent_s],
            )
            for it in found
        ]
        return Section(
            "waiting",
            _("Not sent yet"),
            Table(
                [
                    (_("Terminal"), "text"),
                    (_("Venue"), "text"),
                    (_("Rows to send"), "number"),
                    (_("Oldest for"), "number"),
                    (_("Last heard before"), "number"),
                ],
                rows,
            ),
            self._picture(lying, _("Rows to send"), [self._bar(it.where, it.waiting) for it in found]),
            _("What each till said when it was last heard; what it sold since without network is not in it.")
            if found
            else _("Every till has sent all that it sold, as far as it was heard."),
        )

    def _bar(self, label: str, number: int) -> Bar:
        return Bar(label, number, said=f"{label}: {self._number(number)}")

    def _picture(self, draw: Draw, title: str, bars: Sequence[Bar]) -> Picture | None:
        if not any(it.first for it in bars):
            return None
        best = max(bars, key=lambda it: it.first)
        desc = self.texts.gettext(
            "Most: %(label)s, %(amount)s. The table below has all figures.",
            label=best.label,
            amount=self._number(best.first),
        )
        how = Writing(None, self._number, self._number)
        return Picture.of(lambda width: draw(width, title, desc, bars, Keys(), how))

    def _number(self, number: int) -> str:
        return tick_text(number, None, "", self.texts.language)
