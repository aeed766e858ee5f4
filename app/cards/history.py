"""What happened on a card, as its holder reads it: one entry per operation and currency, evening by evening."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from app.currencies.service import Currency
from app.ledger.service import BalanceRow, StatementLine
from app.venues.service import Venue

PAGE_LINES = 30
# What was put on the card with a reason that its holder reads.
EXPLAINED = frozenset({"shift", "gift", "voucher", "contribution"})
NAMED_ITEMS_MAX = 6


@dataclass(frozen=True, slots=True)
class Item:
    name: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation in one currency. `change`: minor units; `kind`: the operation's; `zone`: where its clock hangs.

    `more`: how many further items there were than the named ones."""

    transfer: int
    operation: UUID
    kind: str
    venue: str
    items: tuple[Item, ...]
    more: int
    note: str
    at_us: int
    zone: str
    day: date
    currency: Currency
    change: int


@dataclass(frozen=True, slots=True)
class Evening:
    """The entries of one business day, the latest first."""

    day: date
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class History:
    """One page. `before`: the cursor of the page that follows, None on the last one."""

    evenings: tuple[Evening, ...]
    before: int | None


def history(
    accounts: Sequence[BalanceRow],
    lines: Sequence[StatementLine],
    currencies: Mapping[str, Currency],
    venues: Mapping[UUID, Venue],
    zone: str,
    limit: int = PAGE_LINES,
) -> History:
    """A page of `limit` transfers. `lines`: of these accounts of a wallet, the newest first, one more than fit where
    there are more. `zone`: of what happened at no venue."""
    of_account = {row.id: currencies[row.key.book.currency] for row in accounts}
    by_operation: dict[UUID, list[StatementLine]] = {}
    for line in lines:
        by_operation.setdefault(line.operation, []).append(line)
    # An operation's transfers bear consecutive numbers, so only the last one may be cut: the next page has it whole.
    if len(lines) > limit:
        del by_operation[lines[-1].operation]
    entries = [entry for of_one in by_operation.values() for entry in _entries(of_one, of_account, venues, zone)]
    return History(_evenings(entries), min(it.transfer for it in entries) if len(lines) > limit else None)


def _entries(
    lines: Sequence[StatementLine], of_account: Mapping[int, Currency], venues: Mapping[UUID, Venue], zone: str
) -> list[Entry]:
    """One entry per currency: wallet and overdraft are one to the holder."""
    by_currency: dict[str, list[StatementLine]] = {}
    for line in lines:
        by_currency.setdefault(of_account[line.account].code, []).append(line)
    return [_entry(of_one, of_account[of_one[0].account], venues, zone) for of_one in by_currency.values()]


def _entry(lines: Sequence[StatementLine], currency: Currency, venues: Mapping[UUID, Venue], zone: str) -> Entry:
    first = lines[0]
    venue = venues.get(first.venue) if first.venue else None
    details: dict[str, Any] = json.loads(first.details)
    items = [
        Item(str(it["name"]), int(it["quantity"]))
        for it in details.get("lines", ())
        if it.get("currency", currency.code) == currency.code
    ]
    return Entry(
        transfer=min(line.transfer for line in lines),
        operation=first.operation,
        kind=first.kind,
        venue=venue.name if venue else "",
        items=tuple(items[:NAMED_ITEMS_MAX]),
        more=sum(it.quantity for it in items[NAMED_ITEMS_MAX:]),
        note=str(details.get("reason", "")) if first.kind in EXPLAINED else "",
        at_us=first.occurred_at_us,
        zone=venue.zone if venue else zone,
        day=first.business_day,
        currency=currency,
        change=sum(line.change for line in lines),
    )


def _evenings(entries: Iterable[Entry]) -> tuple[Evening, ...]:
    # A sale made offline is booked later than it happened; the holder looks for it where it happened.
    ordered = sorted(entries, key=lambda it: (it.day, it.at_us, it.transfer), reverse=True)
    days: dict[date, list[Entry]] = {}
    for entry in ordered:
        days.setdefault(entry.day, []).append(entry)
    return tuple(Evening(day, tuple(of_day)) for day, of_day in days.items())
