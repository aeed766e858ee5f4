"""Staff at a counter with a card in front of them: which venue, which card, and what is on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Query, Request

from app.cards.lifecycle import End, end_of
from app.cards.service import Card, balances, cards_described
from app.currencies.service import Currency, currencies
from app.identity.roles import Principal
from app.ledger.service import ledger_of
from app.platform.context import context_of
from app.platform.errors import Forbidden
from app.venues.service import Network, Venue, the_network, venues

TypedCard = Annotated[str, Query(max_length=300, alias="card")]
ChosenVenue = Annotated[UUID | None, Query(alias="venue")]


@dataclass(frozen=True, slots=True)
class Counter:
    """`venues`: those of the caller; `venue`: the chosen one. `found`: the cards that what was typed may mean; `held`:
    minor units by currency, when that is exactly one; `end`: that this one is out of use for good."""

    network: Network
    currencies: dict[str, Currency]
    venues: tuple[Venue, ...]
    venue: Venue
    typed: str
    found: tuple[Card, ...]
    held: dict[str, int]
    end: End | None

    @property
    def card(self) -> Card | None:
        return self.found[0] if len(self.found) == 1 else None

    @property
    def shown(self) -> list[tuple[Currency, int]]:
        return [(it, self.held.get(code, 0)) for code, it in self.currencies.items()]


async def counter_of(request: Request, caller: Principal, typed: str, venue: UUID | None) -> Counter:
    """Raises Forbidden for a venue that is not the caller's, and for callers who have none."""
    async with context_of(request).reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
        own = tuple(it for it in (await venues(connection)).values() if caller.may_see_venue(it.id))
        found = tuple(await cards_described(connection, typed)) if typed.strip() else ()
        end = await end_of(connection, found[0].id) if len(found) == 1 else None
    chosen = next((it for it in own if venue is None or it.id == venue), None)
    if chosen is None:
        raise Forbidden("Your rights do not reach this venue.")
    held = await balances(ledger_of(request), found[0].owner, known) if len(found) == 1 else {}
    return Counter(network, known, own, chosen, typed, found, held, end)
