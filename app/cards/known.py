"""What every holder's page looks up besides its card, kept in memory for as long as it is true.

It is true of one revision of the database (app.platform.revision), and read again once that has risen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.currencies.policies import PolicyVersion, policies
from app.currencies.service import Currency, currencies
from app.venues.service import Network, Venue, the_network, venues


@dataclass(frozen=True, slots=True)
class Known:
    """As of one revision: the network, currencies by code, venues by id, rules by currency."""

    revision: int
    network: Network
    currencies: Mapping[str, Currency]
    venues: Mapping[UUID, Venue]
    policies: Mapping[str, list[PolicyVersion]]


class Remembered:
    """One per process."""

    def __init__(self) -> None:
        self._last: Known | None = None

    async def known(self, connection: AsyncConnection, at: int) -> Known:
        """As this connection sees it at its revision `at`, which was read first: what changes while the rest is read is
        read again by whoever comes next."""
        last = self._last
        if last is None or last.revision != at:
            last = Known(
                at,
                await the_network(connection),
                await currencies(connection),
                await venues(connection),
                await policies(connection),
            )
            self._last = last
        return last
