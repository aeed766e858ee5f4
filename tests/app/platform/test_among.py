"""Many values, one parameter, on both databases."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from app.platform.among import among
from app.venues.tables import venue

SLUGS = ["bar", "l'escale", 'a "quoted" one', "été", "[1]"]


@pytest.mark.parametrize(
    "wanted", [[], ["bar"], ["l'escale", 'a "quoted" one', "été", "[1]"], ["nowhere"] * 1000 + ["bar"]]
)
async def test_it_finds_what_in_would_find(engine: AsyncEngine, wanted: list[str]) -> None:
    async with engine.begin() as connection:
        for number, slug in enumerate(SLUGS):
            values = {"id": f"{number:032x}", "slug": slug, "name": slug, "zone": "UTC", "cut_off": "06:00"}
            await connection.execute(
                sa.text(
                    "INSERT INTO venue (id, slug, name, zone, cut_off, position, created_at_us) "
                    "VALUES (:id, :slug, :name, :zone, :cut_off, 0, 0)"
                ),
                values,
            )
        found = await connection.execute(sa.select(venue.c.slug).where(among(venue.c.slug, wanted)))
        assert sorted(found.scalars()) == sorted(set(SLUGS) & set(wanted))


async def test_the_same_statement_takes_any_number_of_values(engine: AsyncEngine) -> None:
    """It is compiled once: no part of its text depends on the values."""
    statement = [sa.select(venue.c.slug).where(among(venue.c.slug, it)) for it in (["a"], ["b", "c"])]
    texts = {str(it.compile(dialect=engine.sync_engine.dialect)) for it in statement}
    assert len(texts) == 1
    keys = [it._generate_cache_key() for it in statement]
    assert all(key is not None for key in keys)
    assert keys[0] == keys[1]
