"""A programme: events at both venues of the test network, an artist, a price."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.artists.service import Artist, add_artist
from app.events.tables import event, event_artist, event_price
from app.platform.clock import now_us
from app.platform.settings import Settings
from app.rules.ids import uuid7
from tests.support.network import Network

HOUR_US = 3600 * 1_000_000
DAY_US = 24 * HOUR_US


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


@pytest.fixture
def network_settings(network_settings: Settings) -> Settings:
    return network_settings.model_copy(update={"mail": "sandbox"})


@dataclass
class Programme:
    network: Network
    artist: Artist

    async def event(
        self,
        slug: str,
        venue: str = "raffinerie",
        in_us: int = 3 * DAY_US,
        *,
        status: str = "published",
        price: int | None = 1000,
        words: str = "Une soirée.",
        ends_us: int = 3 * HOUR_US,
        plays: bool = True,
    ) -> UUID:
        id_, now = uuid7(), now_us()
        begins = (now + in_us) // (60 * 1_000_000) * 60 * 1_000_000
        row = {
            "id": id_,
            "slug": slug,
            "venue": self.network.venues[venue].id,
            "title_fr": f"Soirée {slug}",
            "title_en": f"{slug} night",
            "summary_fr": words,
            "summary_en": "",
            "doors_at_us": begins - HOUR_US,
            "starts_at_us": begins,
            "ends_at_us": begins + ends_us,
            "capacity": 100,
            "status": status,
            "created_at_us": now,
            "changed_at_us": now,
        }
        async with self.network.context.engine.begin() as connection:
            await connection.execute(sa.insert(event).values(row))
            if plays:
                await connection.execute(sa.insert(event_artist).values(event=id_, artist=self.artist.id, position=0))
            if price is not None:
                priced = {"id": uuid7(), "event": id_, "name_fr": "Plein tarif", "name_en": "Full price"}
                priced |= {
                    "currency": "RAF",
                    "amount": price,
                    "vat": 550,
                    "position": 0,
                    "condition": "none",
                    "channel": "any",
                }
                await connection.execute(sa.insert(event_price).values(priced))
        return id_


@pytest.fixture
async def programme(network: Network) -> Programme:
    new = Artist(uuid7(), "", "Les Zincs", "Chanson", "", "Deux voix.", "", (("Écouter", "https://example.org/z"),))
    async with network.context.engine.begin() as connection:
        return Programme(network, await add_artist(connection, "test", new))
