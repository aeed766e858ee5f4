"""Whether a card must prove itself before it pays: what a network demands, and a venue beyond it.

    any      a card's bare number is enough
    offline  at terminals without network only cards of level A pay
    always   with network too

A venue may demand more than its network and not less: what is lost by copies is not the venue's alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeVar, get_args

from app.rules.offline import Assurance

T = TypeVar("T")

Demand = Literal["any", "offline", "always"]
DEMANDS: Final[tuple[Demand, ...]] = get_args(Demand)


def stricter(network: Demand, venue: Demand | None) -> Demand:
    return network if venue is None else DEMANDS[max(DEMANDS.index(network), DEMANDS.index(venue))]


def pays_online(demand: Demand, read: Assurance, known: Assurance) -> bool:
    """`read`: as the terminal says that it read the card; `known`: what the server wrote on it. The weaker counts: a
    card that should prove itself and was only told its number may be a copy."""
    return demand != "always" or max(read, known) == "A"


def offline_levels(demand: Demand, levels: Mapping[Assurance, T]) -> dict[Assurance, T]:
    """Limits of the levels that may pay without network; a terminal sells to no card of another one."""
    return {level: it for level, it in levels.items() if demand == "any" or level == "A"}
