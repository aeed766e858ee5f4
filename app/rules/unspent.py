"""How much of what is on cards will still be there later: a rule simple enough to be said on the page.

Every load has an age. Of all that was ever loaded, so much is unspent at each age: that share is counted in stretches
of age (ENDS), and never grows with age. What is on cards today goes on in the same way: money of an age at which half
is unspent, that will then be of one at which a fifth is, shrinks to two fifths of itself. Beyond the oldest age that is
known it stays as it is. Nothing is said before the loads reach back twice as far as one looks ahead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

# Ages in days that end a stretch; the last one has no end.
ENDS: Final = (0, 1, 3, 7, 14, 30, 60, 91, 182, 365)
# On fewer different days nothing of a habit can be seen.
LOAD_DAYS_LEAST: Final = 10


@dataclass(frozen=True, slots=True)
class Load:
    """What was loaded so many days ago, and what of it is unspent; minor units, 0 <= left <= loaded."""

    age: int
    loaded: int
    left: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """All loads of these ages in days; `last` of None: and older. `share`: what of money is unspent at that age, None
    where nothing of it was loaded then."""

    first: int
    last: int | None
    loaded: int
    left: int
    share: Fraction | None


def stretches(loads: Sequence[Load]) -> list[Stretch]:
    found: list[Stretch] = []
    least = Fraction(1)
    for place, (first, last) in enumerate(zip((0, *(it + 1 for it in ENDS)), (*ENDS, None), strict=True)):
        here = [it for it in loads if _place(it.age) == place]
        loaded, left = sum(it.loaded for it in here), sum(it.left for it in here)
        share = None
        if loaded:
            # What is spent stays spent: where older money was spent less, other people loaded it.
            share = least = min(least, Fraction(left, loaded))
        found.append(Stretch(first, last, loaded, left, share))
    return found


def unspent_after(loads: Sequence[Load], days: int) -> int | None:
    """Minor units expected on cards in so many days, without new loads; None: too little is known to say."""
    known = [it for it in loads if it.loaded > 0]
    if len({it.age for it in known}) < LOAD_DAYS_LEAST or max(it.age for it in known) < 2 * days:
        return None
    shares = [it.share for it in stretches(known)]
    expected = Fraction(0)
    for it in known:
        now, then = _share(shares, it.age), _share(shares, it.age + days)
        # Money of an age at which others had spent all of theirs stays where it is.
        expected += it.left * (then / now if now else 1)
    return int(expected)


def _share(shares: Sequence[Fraction | None], age: int) -> Fraction:
    """Of the newest stretch of ages up to this one in which something was loaded."""
    return next((it for it in reversed(shares[: _place(age) + 1]) if it is not None), Fraction(1))


def _place(age: int) -> int:
    return next((place for place, end in enumerate(ENDS) if age <= end), len(ENDS))
