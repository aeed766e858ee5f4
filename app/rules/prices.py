"""What a product costs at an instant: its prices, and other ones in its hours on the venue's wall clock.

A window begins on its weekdays at `start` and ends at `end`, on the day after when that is not later. When the clock is
set back, the hour that happens twice is in the window twice; when it is set forward, the hour that is left out is not
there to be cheap in. What holds is what the clock on the wall says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import time
from functools import lru_cache

from app.rules.business_day import local_time
from app.rules.lines import ProductKind

MINUTE_US = 60_000_000
# How long a price that was on the screen may be sold at after it changed: between a tile that is pressed and the card
# that pays, a round is typed and somebody looks for their purse.
GRACE_US = 10 * MINUTE_US
# A terminal's clock may be this much off before its staff are told, and its sale has to travel.
SLACK_US = 5 * MINUTE_US


@dataclass(frozen=True, slots=True)
class Window:
    """`weekdays`: 0 is Monday, the day on which it begins. `prices`: minor units by currency; of others, nothing
    changes. `start` and `end` are whole minutes; the same time twice is a whole day."""

    weekdays: frozenset[int]
    start: time
    end: time
    prices: Mapping[str, int]

    def holds(self, weekday: int, at: time) -> bool:
        if self.start < self.end:
            return weekday in self.weekdays and self.start <= at < self.end
        return (weekday in self.weekdays and at >= self.start) or ((weekday - 1) % 7 in self.weekdays and at < self.end)


@dataclass(frozen=True, slots=True)
class Article:
    """A product as far as its price goes. `open`: it may be sold at any price that staff type."""

    kind: ProductKind
    prices: Mapping[str, int]
    open: bool = False
    windows: tuple[Window, ...] = field(default=())

    @property
    def plain(self) -> bool:
        """Whether its prices are all there is to say: they hold at any time, and lines of it have no kind."""
        return self.kind == "goods" and not self.windows

    def at(self, at_us: int, zone: str) -> Mapping[str, int]:
        """Its prices at an instant (microseconds since the epoch): those of the first window that has one, else its
        own. Above 0, whatever the article: a line of it has the sign."""
        if not self.windows:
            return self.prices
        weekday, at = _on_the_wall(at_us // MINUTE_US, zone)
        prices = dict(self.prices)
        for window in reversed(self.windows):
            if window.holds(weekday, at):
                prices.update(window.prices)
        return prices

    def held(self, amount: int, currency: str, from_us: int, until_us: int, zone: str) -> bool:
        """Whether `amount` was its price at any instant of a stretch of time."""
        return any(prices.get(currency) == amount for prices in self._over(from_us, until_us, zone))

    def _over(self, from_us: int, until_us: int, zone: str) -> Iterator[Mapping[str, int]]:
        """Windows begin and end on whole minutes, so one look at each minute sees every price."""
        if not self.windows:
            yield self.prices
            return
        for minute in range(from_us // MINUTE_US, until_us // MINUTE_US + 1):
            yield self.at(minute * MINUTE_US, zone)


# A grid of products asks for the same minute again and again.
@lru_cache(maxsize=1024)
def _on_the_wall(minute: int, zone: str) -> tuple[int, time]:
    local = local_time(minute * MINUTE_US, zone)
    return local.weekday(), local.time()
