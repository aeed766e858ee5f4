"""The database itself keeps the books: no line changes, no sealed month grows, none has a gap."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from app.accounting.tables import NETWORK_BOOKS, line
from app.platform.database import is_sqlite
from app.sales.closings import store as closings
from tests.support.books import books_of, close
from tests.support.network import Network, both

pytestmark = both


def row(network: Network, number: int, place: int = 1, **more: Any) -> dict[str, Any]:
    day = network.venues["raffinerie"].day_of(0)
    return {
        "books": NETWORK_BOOKS,
        "exercise": 2026,
        "journal": "OD",
        "number": number,
        "place": place,
        "closing": 1,
        "day": day,
        "account": "512000",
        "party": "",
        "piece": "x",
        "piece_day": day,
        "label": "x",
        "debit": 100 if place == 1 else 0,
        "credit": 0 if place == 1 else 100,
        **more,
    }


async def refused(network: Network, statement: Any, values: Any, why: str) -> None:
    with pytest.raises(DBAPIError, match=why):
        async with network.engine.begin() as connection:
            await connection.execute(statement, values)


async def test_no_line_changes_and_none_joins_a_sealed_month(network: Network) -> None:
    await network.top_up("awa", 2000)
    await close(network, await books_of(network, "network"))
    for statement in ("UPDATE books_line SET debit = 7 WHERE debit > 0", "DELETE FROM books_line"):
        await refused(network, sa.text(statement), {}, "never rewritten")
    if not is_sqlite(network.engine):
        await refused(network, sa.text("TRUNCATE books_line"), {}, "never rewritten")
    await refused(network, sa.insert(line), [row(network, 9), row(network, 9, 2)], "this month is sealed")


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([(1, 1, {}), (1, 2, {"credit": 99})], "does not balance"),
        ([(2, 1, {}), (2, 2, {})], "a number is missing"),
        ([(1, 1, {}), (1, 2, {}), (3, 1, {}), (3, 2, {})], "a number is missing"),
    ],
)
async def test_no_month_is_sealed_that_is_not_whole(
    network: Network, rows: list[tuple[int, int, dict[str, Any]]], why: str
) -> None:
    await network.top_up("awa", 2000)
    async with network.engine.begin() as connection:
        for number, place, more in rows:
            await connection.execute(sa.insert(line), row(network, number, place, **more))
    with pytest.raises(DBAPIError, match=why):
        await close(network, await books_of(network, "network"))
    async with network.engine.connect() as connection:
        assert await closings.newest(connection, NETWORK_BOOKS, "books_month") is None
