"""Events as venues tell of them, and what the database keeps of their places."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from app.events import guards
from app.events.rules import Event, Price, check, check_price, sellable
from app.events.service import event_at
from app.events.tables import event as event_table
from app.platform.clock import now_us
from app.platform.errors import Invalid, NotFound
from app.rules.ids import uuid7
from app.rules.tickets import NoTicket, base45, encode, unbase45, verified
from tests.support.network import Network, both, problem

pytestmark = pytest.mark.anyio

DAY_US = 24 * 3600 * 1_000_000


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


def concert(network: Network, capacity: int = 3, **other: Any) -> dict[str, Any]:
    starts = now_us() + DAY_US
    return {
        "venue": str(network.venues["raffinerie"].id),
        "titles": {"fr": "Éloïse & les Zincs", "en": "Eloise and the Zincs"},
        "doors_at_us": starts - 3_600_000_000,
        "starts_at_us": starts,
        "ends_at_us": starts + 3 * 3_600_000_000,
        "capacity": capacity,
        **other,
    }


FULL = {"names": {"fr": "Plein tarif", "en": "Full"}, "currency": "RAF", "amount": 1200, "vat": 550}


async def asked(network: Network, method: str, path: str, body: Any = None, by: str = "marie") -> httpx.Response:
    return await (await network.person(by)).request(method, f"/api/v1/events{path}", json=body)


@both
async def test_an_event_is_drafted_priced_published_and_cancelled(network: Network) -> None:
    id_, price = uuid7(), uuid7()
    made = (await asked(network, "PUT", f"/{id_}", concert(network))).json()
    assert (made["slug"], made["standing"], made["prices"]) == ("eloise-les-zincs", "draft", [])
    priced = (await asked(network, "PUT", f"/{id_}/prices/{price}", FULL)).json()
    assert (priced["prices"][0]["amount"], priced["prices"][0]["sold"]) == (1200, 0)
    async with network.engine.connect() as connection:
        with pytest.raises(NotFound):
            await event_at(connection, "eloise-les-zincs")
    assert (await asked(network, "POST", f"/{id_}/publish")).json()["standing"] == "open"
    async with network.engine.connect() as connection:
        assert (await event_at(connection, "eloise-les-zincs")).price(price) is not None
        assert await connection.run_sync(guards.missing) == []

    # As many places as are taken stay, and the database refuses one too many whoever asks.
    async with network.engine.begin() as connection:
        await connection.execute(sa.update(event_table).values(sold=2, held=1))
    refused = await asked(network, "PUT", f"/{id_}", concert(network, 2))
    assert (problem(refused), refused.json()["taken"]) == ((409, "capacity-taken"), 3)
    with pytest.raises(sa.exc.IntegrityError):
        async with network.engine.begin() as connection:
            await connection.execute(sa.update(event_table).values(leased=event_table.c.leased + 1))
    assert (await asked(network, "GET", f"/{id_}")).json()["standing"] == "full"
    assert (await asked(network, "POST", f"/{id_}/cancel")).json()["standing"] == "cancelled"
    assert problem(await asked(network, "POST", f"/{id_}/publish"))[0] == 409
    assert problem(await asked(network, "PUT", f"/{id_}", concert(network)))[0] == 409


async def test_a_venue_tells_of_its_own_events(network: Network) -> None:
    id_ = uuid7()
    assert problem(await asked(network, "PUT", f"/{id_}", concert(network), "yann"))[0] == 403
    assert (await asked(network, "PUT", f"/{id_}", concert(network))).status_code == 200
    assert problem(await asked(network, "POST", f"/{id_}/publish", by="yann"))[0] == 404
    wrong = {**FULL, "currency": "EUR"}
    assert problem(await asked(network, "PUT", f"/{id_}/prices/{uuid7()}", wrong)) == (422, "currency-not-accepted")
    late = concert(network, doors_at_us=now_us() + 9 * DAY_US)
    assert problem(await asked(network, "PUT", f"/{uuid7()}", late))[0] == 422
    days = [concert(network), concert(network)]
    for number, it in enumerate(days, 7):
        for moment in ("doors_at_us", "starts_at_us", "ends_at_us"):
            it[moment] += number * DAY_US
    at = datetime.fromtimestamp(days[1]["starts_at_us"] / 1_000_000, ZoneInfo("Indian/Reunion")).date()
    assert (await asked(network, "PUT", f"/{uuid7()}", days[1])).json()["slug"] == f"eloise-les-zincs-{at}"
    assert (await asked(network, "PUT", f"/{uuid7()}", days[1])).json()["slug"] == f"eloise-les-zincs-{at}-2"


@both
async def test_events_of_one_title_made_at_once_have_an_address_each(network: Network) -> None:
    await network.person("marie")
    made = await asyncio.gather(*(asked(network, "PUT", f"/{uuid7()}", concert(network)) for _ in range(5)))
    assert {it.status_code for it in made} == {200}
    assert len({it.json()["slug"] for it in made}) == 5


async def test_what_is_cancelled_or_over_stays_as_it_was(network: Network) -> None:
    id_, price = uuid7(), uuid7()
    await asked(network, "PUT", f"/{id_}", concert(network))
    await asked(network, "PUT", f"/{id_}/prices/{price}", FULL)
    await asked(network, "POST", f"/{id_}/cancel")
    assert problem(await asked(network, "PUT", f"/{id_}/prices/{price}", {**FULL, "amount": 1}))[0] == 409
    assert problem(await asked(network, "PUT", f"/{id_}/prices/{uuid7()}", FULL))[0] == 409
    assert problem(await asked(network, "DELETE", f"/{id_}/prices/{price}"))[0] == 409
    past = concert(network)
    for moment in ("doors_at_us", "starts_at_us", "ends_at_us"):
        past[moment] -= 3 * DAY_US
    over = uuid7()
    assert (await asked(network, "PUT", f"/{over}", past)).status_code == 200
    assert problem(await asked(network, "POST", f"/{over}/publish"))[0] == 409


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title_fr": ""}, "title_fr"),
        ({"title_fr": "a" * 121}, "title_fr"),
        ({"title_en": "two\nlines"}, "title_en"),
        ({"summary_fr": "a" * 4001}, "summary_fr"),
        ({"doors_at_us": 2}, "starts"),
        ({"ends_at_us": 1}, "starts"),
        ({"capacity": -1}, "capacity"),
        ({"capacity": 100_001}, "capacity"),
    ],
)
def test_what_an_event_cannot_be(wrong: dict[str, Any], field: str) -> None:
    good = Event(uuid7(), uuid7(), "Bal", "", "", "", 1, 1, 2, 10)
    check(good)
    with pytest.raises(Invalid) as refused:
        check(replace(good, **wrong))
    assert refused.value.extra["field"] == field


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name_fr": ""}, "name_fr"),
        ({"name_en": "a" * 61}, "name_en"),
        ({"amount": -1}, "amount"),
        ({"amount": 100_000_001}, "amount"),
        ({"quota": -1}, "quota"),
        ({"vat": 10_001}, "vat"),
        ({"sale_from_us": 2, "sale_until_us": 2}, "sale_until"),
    ],
)
def test_what_a_price_cannot_be(wrong: dict[str, Any], field: str) -> None:
    good = Price(uuid7(), "Plein", "", "RAF", 1200)
    check_price(good)
    with pytest.raises(Invalid) as refused:
        check_price(replace(good, **wrong))
    assert refused.value.extra["field"] == field


def test_prices_are_sold_in_their_time_and_place() -> None:
    price = Price(uuid7(), "Plein", "", "RAF", 1200, 5, sale_from_us=10, sale_until_us=20, held=1, sold=3)
    event = Event(uuid7(), uuid7(), "a", "", "", "", 1, 50, 90, 10, status="published", prices=(price,))
    assert event.left_at(price) == 1
    assert [sellable(event, price, "online", at) for at in (9, 10, 19, 20, 95)] == [False, True, True, False, False]
    assert not sellable(event, price, "invitation", 10)
    assert price.name("en") == "Plein"


@given(st.binary(max_size=60), st.uuids(), st.uuids(), st.integers(0, 143))
@settings(max_examples=40, deadline=None)
def test_a_ticket_is_read_by_whoever_knows_the_key(content: bytes, event: UUID, ticket: UUID, at: int) -> None:
    assert unbase45(base45(content)) == content
    key = Ed25519PrivateKey.generate()
    text = encode(event, ticket, key)
    assert verified(text, key.public_key()) == (event, ticket)
    other = text[: 3 + at] + ("0" if text[3 + at] != "0" else "1") + text[4 + at :]
    with pytest.raises(NoTicket):
        verified(other, key.public_key())
    with pytest.raises(NoTicket):
        verified(text, Ed25519PrivateKey.generate().public_key())


def test_base45_is_that_of_the_standard() -> None:
    assert base45(b"Hello!!") == "%69 VD92EX0"
    for wrong in ("0", "GGW", "::", "é00"):
        with pytest.raises(NoTicket):
            unbase45(wrong)
