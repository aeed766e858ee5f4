"""A figure of a period, opened to the days that it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from app.currencies.service import Currency
from app.ledger.figures import reads
from app.ledger.figures.follow import catch_up
from app.ledger.rules.kinds import BookKind
from app.ledger.service import Ledger
from app.settlement.periods import STRETCHES_MAX, Flow, Name, Taken, claim_flow, put_aside
from app.venues.service import Venue


@dataclass(frozen=True, slots=True)
class DayFlows:
    day: date
    flows: Mapping[Name, Flow]


async def by_day(ledger: Ledger, venue: Venue, currency: Currency, first: date, last: date) -> list[DayFlows]:
    """Business days on which something moved, the newest first."""
    await catch_up(ledger.engine, stretches=STRETCHES_MAX)
    days: dict[date, Taken] = {}
    for it in await reads.days(ledger.reader, first, last, venue.owner):
        if it.book.kind != BookKind.CURRENCY or it.book.currency != currency.code or it.day is None:
            continue
        taken = days.setdefault(it.day, Taken())
        for (kind, owner), sign, other in ((it.debit, -1, it.credit[0]), (it.credit, 1, it.debit[0])):
            if kind == "claim" and owner == venue.owner:
                taken.flows[claim_flow(it.kind, other)].add(sign * it.amount, it.transfers)
        if it.venue == venue.id:
            put_aside(taken, it)
    return [DayFlows(day, {**days[day].flows, **days[day].aside}) for day in sorted(days, reverse=True)]
