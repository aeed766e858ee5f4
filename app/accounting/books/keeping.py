"""Which sets of books there are, and how each is kept: whose it is, its SIREN, when its year begins, its accounts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.accounting.books.chart import NAME_MAX, REGIMES, Account, Chart, Regime, defaults, wrong
from app.accounting.tables import NETWORK_BOOKS, settings
from app.currencies.service import NETWORK
from app.platform.database import is_sqlite
from app.platform.errors import Invalid, NotFound
from app.venues.service import Venue, the_network, venues

SIREN_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Books:
    """One set of books. `id`: a venue's, or NETWORK_BOOKS; `slug` names it in addresses and files. `year_starts`: the
    month in which its exercise begins; `changed`: accounts that are not the defaults of `regime`, by key. `kept`:
    somebody said all this."""

    id: UUID
    slug: str
    legal_name: str
    zone: str
    siren: str = ""
    regime: Regime = "association"
    year_starts: int = 1
    changed: Mapping[str, Account] = field(default_factory=dict)
    kept: bool = False

    @property
    def of_venue(self) -> bool:
        return self.id != NETWORK_BOOKS

    @property
    def owner(self) -> str:
        """Whose they are, as the ledger names it."""
        return f"venue:{self.id}" if self.of_venue else NETWORK

    @property
    def chart(self) -> Chart:
        return Chart(self.regime, self.changed, venue=self.of_venue)

    def exercise(self, day: date) -> int:
        """The year in which the exercise of a day began."""
        return day.year if day.month >= self.year_starts else day.year - 1

    def exercise_days(self, exercise: int) -> tuple[date, date]:
        """(its first day, its last)."""
        first = date(exercise, self.year_starts, 1)
        following = date(exercise + 1, self.year_starts, 1)
        return first, date.fromordinal(following.toordinal() - 1)


async def all_books(connection: AsyncConnection) -> list[Books]:
    """The network's, and then those of its venues in the order in which they are shown."""
    network = await the_network(connection)
    kept = {row.books: row for row in await connection.execute(sa.select(settings))}
    found = [_books(kept.get(NETWORK_BOOKS), NETWORK_BOOKS, NETWORK, network.name, network.settings.zone)]
    return found + [_of_venue(kept.get(it.id), it) for it in (await venues(connection)).values()]


async def books_named(connection: AsyncConnection, slug: str) -> Books:
    """NotFound when there are none."""
    found = next((it for it in await all_books(connection) if it.slug == slug), None)
    if found is None:
        raise NotFound("There are no such books.")
    return found


async def keep(
    connection: AsyncConnection,
    books: Books,
    *,
    legal_name: str,
    siren: str,
    regime: str,
    year_starts: int,
    changed: Mapping[str, Account],
) -> None:
    """From the next closing on, the books are kept so; what is closed stays as it is. Invalid says what is wrong."""
    if not 0 < len(legal_name.strip()) <= NAME_MAX:
        raise Invalid("The books are somebody's: a name is missing.", field="legal_name")
    if siren and not siren_ok(siren):
        raise Invalid("This is no SIREN: nine digits, the last of which checks the others.", field="siren")
    if regime not in REGIMES or not 1 <= year_starts <= 12:
        raise Invalid(
            "Books are an association's or a cooperative's, and their year begins in a month.", field="regime"
        )
    known = defaults("cooperative" if regime == "cooperative" else "association", venue=books.of_venue)
    for key, account in changed.items():
        if why := wrong(key, account.number, account.name, known):
            raise Invalid(f"The account {key} cannot be {account.number} {account.name}: {why}.", field="accounts")
    values = {
        "legal_name": legal_name.strip(),
        "siren": siren,
        "regime": regime,
        "year_starts": year_starts,
        "changed": json.dumps(
            {key: [it.number, it.name] for key, it in sorted(changed.items()) if known.get(key) != it},
            ensure_ascii=False,
        ),
    }
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    statement = insert(settings).values(books=books.id, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["books"], set_=values))


def siren_ok(text: str) -> bool:
    """Nine digits whose Luhn sum is a multiple of ten (INSEE)."""
    if len(text) != SIREN_DIGITS or not (text.isascii() and text.isdecimal()):
        return False
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(text)]
    return sum(it // 10 + it % 10 for it in doubled) % 10 == 0


def _of_venue(row: Any, venue: Venue) -> Books:
    return _books(row, venue.id, venue.slug, venue.name, venue.zone)


def _books(row: Any, id_: UUID, slug: str, name: str, zone: str) -> Books:
    if row is None:
        return Books(id_, slug, name, zone)
    changed = {key: Account(*it) for key, it in json.loads(row.changed).items()}
    return Books(id_, slug, row.legal_name, zone, row.siren, row.regime, row.year_starts, changed, True)
