"""Why a sale is disputed, how a dispute ends, and how long a venue may take. Pure."""

from __future__ import annotations

from typing import Final, Literal, get_args

Reason = Literal["not_me", "amount", "not_received", "twice"]
State = Literal["open", "taken_back", "refused"]

REASONS: Final[tuple[Reason, ...]] = get_args(Reason)
TEXT_MAX: Final = 500
ANSWER_MAX: Final = 500
# Whoever is refused may say it once more, with what was missing; after that it is for the counter.
PER_SALE_MAX: Final = 3
# A venue that has not answered by then has the network's admins look at it.
ANSWERED_WITHIN_DAYS: Final = 7
ANSWERED_WITHIN_US: Final = ANSWERED_WITHIN_DAYS * 24 * 3600 * 1_000_000
# Sales of the same till that are shown beside the disputed one: so long before and after it.
AROUND_US: Final = 15 * 60 * 1_000_000
# What both said is of use as long as money may be claimed back (five years, Code civil art. 2224); an address only
# while an answer may still come.
TEXTS_KEPT_US: Final = 5 * 365 * 24 * 3600 * 1_000_000
EMAIL_KEPT_US: Final = 90 * 24 * 3600 * 1_000_000
