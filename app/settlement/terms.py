"""On what terms venues are settled. Each change is a new row, so that a run can be understood years later."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity.audit import audit
from app.platform.clock import now_us
from app.platform.errors import Invalid
from app.rules.ids import uuid7
from app.settlement import tables

NETWORK = "network"

Cadence = Literal["every_run", "weekly", "monthly"]
Cover = Literal["network", "venue", "shared"]
WHOLE = 10_000  # basis points
MINIMUM_MAX_CENTS = 10_000_000
DELAY_MAX_H, ANSWER_MAX_DAYS = 30 * 24, 60


@dataclass(frozen=True, slots=True)
class NetworkTerms:
    """`cover`: who bears what cards owe after offline sales; when shared, venues bear `venue_share` basis points of it.

    `bank_delay_h`: hours before new bank details hold. `answer_days`: how long a venue may look at its statement before
    its silence no longer stops the run. `payout_days`: how long a payment provider's payout may be on its way to the
    bank before somebody should ask.
    """

    cover: Cover = "network"
    venue_share: int = 5_000
    bank_delay_h: int = 48
    answer_days: int = 5
    payout_days: int = 7

    @property
    def venue_bears(self) -> int:
        """Basis points."""
        return {"network": 0, "venue": WHOLE, "shared": self.venue_share}[self.cover]


@dataclass(frozen=True, slots=True)
class VenueTerms:
    """`minimum_cents`: a payment below it is not made; everything carries over. `leaving`: the next run settles the
    venue to zero, whatever its cadence and minimum."""

    cadence: Cadence = "every_run"
    minimum_cents: int = 0
    leaving: bool = False


async def network_terms(connection: AsyncConnection) -> NetworkTerms:
    return NetworkTerms(**(await _newest(connection)).get(NETWORK, {}))


async def venue_terms(connection: AsyncConnection) -> dict[str, VenueTerms]:
    """By owner ("venue:<id>"); who is not in it has the defaults."""
    return {it: VenueTerms(**said) for it, said in (await _newest(connection)).items() if it != NETWORK}


async def set_terms(connection: AsyncConnection, subject: str, new: NetworkTerms | VenueTerms, *, actor: str) -> None:
    """In force at once, for runs that are not frozen yet. Raises Invalid."""
    _check(new)
    said = json.dumps(asdict(new))
    row = {"id": uuid7(), "subject": subject, "terms": said, "author": actor, "at_us": now_us()}
    await connection.execute(sa.insert(tables.terms).values(row))
    await audit(connection, actor, "settlement.terms", subject, **asdict(new))


def _check(new: NetworkTerms | VenueTerms) -> None:
    if isinstance(new, VenueTerms):
        wrong = not 0 <= new.minimum_cents <= MINIMUM_MAX_CENTS
    else:
        wrong = (
            not 0 <= new.venue_share <= WHOLE
            or not 0 <= new.bank_delay_h <= DELAY_MAX_H
            or not 0 <= new.answer_days <= ANSWER_MAX_DAYS
            or not 1 <= new.payout_days <= ANSWER_MAX_DAYS
        )
    if wrong:
        raise Invalid("These terms are out of bounds.")


async def _newest(connection: AsyncConnection) -> dict[str, dict[str, Any]]:
    rows = await connection.execute(sa.select(tables.terms).order_by(tables.terms.c.at_us, tables.terms.c.id))
    return {row.subject: json.loads(row.terms) for row in rows}
