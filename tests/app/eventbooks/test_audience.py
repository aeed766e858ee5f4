"""Who came, in numbers that name nobody; and what authors' rights are counted on."""

from __future__ import annotations

import csv
import io
from uuid import UUID, uuid4

import pypdfium2
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from app.door.tables import passage
from app.eventbooks.rules import FEW, Rights, Sold, Statement, Tariff, statement, too_few
from app.events.tables import ticket
from app.platform.clock import now_us
from app.rules.ids import uuid7
from tests.app.eventbooks.test_eventbooks import HERE, concert
from tests.support.network import Network, both
from tests.support.pages import ENGLISH, form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio

__all__ = ["concert"]

PRICE = uuid4()


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


def receipts(cents: int, vat: int = 550) -> Statement:
    return statement([Sold(1, PRICE, "RAF", cents, "valid", "online", 0)], [Tariff(PRICE, "", "", "RAF", vat, 1)])


async def rows(network: Network, who: str, event: UUID, section: str) -> list[list[str]]:
    answer = await (await network.person(who)).get(f"{HERE}/{event}/file/{section}.csv", headers=ENGLISH)
    return list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))[1:]


@both
async def test_who_came_is_told_by_price_and_hour_and_small_groups_to_their_venue_alone(
    network: Network, concert: UUID
) -> None:
    bar, now = await network.terminal("raffinerie"), now_us()
    async with network.context.engine.begin() as connection:
        tickets = (await connection.execute(sa.select(ticket.c.id).order_by(ticket.c.serial))).scalars().all()
        # The first went out and came in again; of the second the money went back; the third was refused.
        for at, direction, result, minutes in (
            *((0, "in", "in", 0), (0, "out", "out", 5), (0, "in", "again", 70)),
            *((1, "in", "refunded", 1), (2, "in", "early", 1), (4, "in", "in", 130)),
        ):
            row = {"id": uuid7(), "event": concert, "ticket": tickets[at], "terminal": bar.id, "direction": direction}
            row |= {"result": result, "means": "code", "at_us": now + minutes * 60_000_000, "received_at_us": now}
            await connection.execute(sa.insert(passage).values(row))
    assert await rows(network, "marie", concert, "audience") == [
        ["Plein", "2", "1", "1"],
        ["Adhérent", "1", "0", "1"],
        ["Invitation", "2", "1", "1"],
    ]
    assert "Total 5 2 3" in words(await look(await network.person("marie"), f"{HERE}/{concert}"))
    assert [row[1] for row in await rows(network, "marie", concert, "entries")] == ["1", "1"]
    hidden = await rows(network, "nadia", concert, "audience")
    assert {tuple(row[2:]) for row in hidden} == {("", "")}
    assert await rows(network, "nadia", concert, "entries") == []


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=6))
@settings(max_examples=200, deadline=None)
def test_no_small_group_is_told_nor_left_as_the_only_one_that_is_missing(groups: list[tuple[int, int]]) -> None:
    hidden = too_few(groups)
    assert all(place in hidden for place, counts in enumerate(groups) if any(0 < it < FEW for it in counts))
    assert len(hidden) != 1 or len(groups) == 1


@both
async def test_the_rate_of_the_contract_is_the_events_or_its_venues(network: Network, concert: UUID) -> None:
    marie, page = await network.person("marie"), f"{HERE}/{concert}/rights"
    form = form_to(await look(marie, page), page)
    assert (await send(marie, form, rate="much")).status_code == 422
    assert (await send(marie, form, rate="101")).status_code == 422
    led_to(await send(marie, form, **{"for": "venue", "rate": "8,8", "base": "net", "minimum": ""}))
    # 8.8 % of 38.44.
    told = (await rows(network, "marie", concert, "rights"))[3]
    assert told == ["Authors’ rights at 8.8 %, without VAT on them", "3.38"]
    led_to(await send(marie, form, **{"for": "event", "rate": "11", "base": "gross", "minimum": "50"}))
    assert [row[1] for row in await rows(network, "marie", concert, "rights")] == [
        *("40.55", "2.11", "40.55", "50.00", "50.00", "38.44"),
    ]
    pdf = pypdfium2.PdfDocument((await marie.get(f"{HERE}/{concert}/statement.pdf", headers=ENGLISH)).content)
    printed = " ".join(pdf[at].get_textpage().get_text_range() for at in range(len(pdf)))
    assert "Base of authors’ rights" in printed
    assert "50.00" in printed
    led_to(await send(marie, form, **{"for": "none"}))
    assert "3,38" in words(await look(marie, f"{HERE}/{concert}"))
    yann = await network.person("yann")
    assert (await yann.post(page, data={"for": "venue", "rate": "1"})).status_code == 403


@pytest.mark.parametrize(
    ("rights", "counted", "made"),
    [
        (Rights(), 10_000, None),
        (Rights("net", 880), 10_000, 880),
        (Rights("gross", 1_100), 10_550, 1_161),
        (Rights("net", 0, 500), 10_000, 500),
    ],
)
def test_rights_are_counted_to_the_cent(rights: Rights, counted: int, made: int | None) -> None:
    of = receipts(10_550)
    assert (rights.counted_on(of), rights.made_of(of)) == (counted, made)
