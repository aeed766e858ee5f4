"""What the server asks of a sale before it books it, beside what the ledger asks. Standard library only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from uuid import UUID

# A clock that is further ahead than this is wrong, and an event older than this came out of a drawer: such an event
# counts to the day it was booked, and is flagged.
AHEAD_MAX_US = 5 * 60 * 1_000_000
BEHIND_MAX = timedelta(days=30)


def changed_prices(lines: Iterable[tuple[UUID, int, str]], prices: Mapping[UUID, Mapping[str, int]]) -> list[UUID]:
    """Products of `lines` (product, unit price, currency) that the venue no longer sells at that price."""
    return [product for product, amount, code in lines if prices.get(product, {}).get(code) != amount]


def day_that_counts(happened_on: date, occurred_at_us: int, booked_on: date, booked_at_us: int) -> tuple[date, bool]:
    """(business day, late): the day on which it happened, or the day it was booked when that can't be right."""
    if occurred_at_us > booked_at_us + AHEAD_MAX_US or happened_on < booked_on - BEHIND_MAX:
        return booked_on, True
    return happened_on, False
