"""What a dashboard is asked for, and of whom: the venues that somebody may see, and days that they typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request

from app.currencies.service import Currency, currencies
from app.identity.roles import Principal
from app.platform.context import context_of
from app.venues.service import Network, Venue, the_network, venues

# What cannot be read is not asked for, so it is taken as text first.
Typed = Annotated[str, Query(max_length=40)]


@dataclass(frozen=True, slots=True)
class Reach:
    """`chosen`: one venue of those `seen`, or all of them."""

    network: Network
    known: Mapping[str, Currency]
    seen: Mapping[UUID, Venue]
    chosen: Venue | None

    @property
    def venues(self) -> Mapping[UUID, Venue]:
        return self.seen if self.chosen is None else {self.chosen.id: self.chosen}


async def reach(request: Request, caller: Principal, venue: str) -> Reach:
    """Forbidden: another's venue."""
    async with context_of(request).reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
        at = await venues(connection)
    seen = {id_: it for id_, it in at.items() if caller.may_see_venue(id_)}
    chosen = next((it for id_, it in at.items() if str(id_) == venue), None)
    if chosen is not None:
        caller.require_venue(chosen.id)
    elif len(seen) == 1:
        (chosen,) = seen.values()
    return Reach(network, known, seen, chosen)


def issued(of: Reach) -> list[Currency]:
    """The moneys that somebody issues: what members owe each other is in no circulation."""
    return [it for it in of.known.values() if it.kind != "mutual"]


def day_typed(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
