"""Who may have a price that is not everybody's. Pure: the page, programs, tills and partners all ask here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

# member    of the event's venue, or of the network, today
# reduced   everybody says so of themselves, and shows why at the door
# hours     gave their time: hours of volunteering were credited to the wallet within the last year
# gift      was given money: gifts, or vouchers, came to the wallet within the last year
Condition = Literal["none", "member", "reduced", "hours", "gift"]

YEAR_DAYS: Final = 365


@dataclass(frozen=True, slots=True)
class Known:
    """What the network knows of a wallet. `minutes`: of volunteering; `gifts`: minor units that it was given; both
    within a year, less what was taken back."""

    member: bool = False
    minutes: int = 0
    gifts: int = 0


NOTHING: Final = Known()


def entitled(condition: Condition, least: int | None, known: Known) -> bool:
    """`least`: minutes of hours, minor units of gifts; None: any at all."""
    if condition == "member":
        return known.member
    if condition == "hours":
        return known.minutes >= (least or 1)
    if condition == "gift":
        return known.gifts >= (least or 1)
    return True
