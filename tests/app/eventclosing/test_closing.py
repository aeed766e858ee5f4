"""An event's end: terminals that brought everything, a cut-off that is settled, and refunds on its own days."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from app.eventclosing.rules import Window, delivered
from app.eventclosing.service import refund_windows
from app.events import service
from app.events.rules import Event
from app.events.tables import event
from app.platform.clock import now_us
from app.refunds.rules import closed, in_windows
from app.refunds.service import open_now, world
from app.rules.business_day import business_day
from app.rules.ids import uuid7
from app.rules.policy import Policy, Redeem, Refund
from app.terminals.tables import terminal
from app.venues.service import the_network
from tests.support.network import RAF, Network, both
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio

HOUR_US = 3600 * 1_000_000
DAY = timedelta(days=1)
TODAY = date(2027, 7, 1)
PAID = Policy(redeem=Redeem(who=("venues", "holders")))


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


async def held_yesterday(network: Network) -> Event:
    now = now_us()
    starts = now - 20 * HOUR_US
    at = Event(uuid7(), network.venues["raffinerie"].id, "Bal", "", "", "", starts, starts, now - 16 * HOUR_US, 80)
    async with network.engine.begin() as connection:
        await service.create(connection, "test", at)
        await connection.execute(sa.update(event).where(event.c.id == at.id).values(status="published"))
    return at


async def till(network: Network, name: str, *, seen: int, waiting: int = 0, venue: str = "raffinerie") -> UUID:
    row = {"id": uuid7(), "venue": network.venues[venue].id, "name": name, "public_key": bytes(32), "status": "active"}
    row |= {"epoch": 1, "version": "", "waiting": waiting, "skew_ms": 0, "seen_at_us": seen, "created_at_us": 1}
    async with network.engine.begin() as connection:
        await connection.execute(sa.insert(terminal).values(row))
    return UUID(str(row["id"]))


async def the_network_of(network: Network) -> Any:
    async with network.engine.connect() as connection:
        return await the_network(connection)


@both
async def test_the_page_says_who_may_still_bring_sales(network: Network) -> None:
    at, now = await held_yesterday(network), now_us()
    bar = await till(network, "Bar", seen=now)
    cellar = await till(network, "Cave", seen=now - 19 * HOUR_US, waiting=3)
    other = await till(network, "Quai", seen=now, venue="canal")
    marie, here = await network.person("marie"), f"/admin/events/{at.id}/closing"
    page = await look(marie, here)
    assert "Bar" in words(page)
    assert "Quai" not in words(page)
    assert led_to(await send(marie, form_to(page, f"{here}/terminals"), terminal=[str(bar), str(cellar)])) == here
    said = words(await look(marie, here))
    assert "tout est arrivé" in said
    assert "pas de nouvelles depuis" in said
    assert "1 terminal peut encore apporter des ventes" in said
    async with network.engine.begin() as connection:
        await connection.execute(sa.update(terminal).values(seen_at_us=now))
    assert "a des ventes à envoyer" in words(await look(marie, here))
    async with network.engine.begin() as connection:
        await connection.execute(sa.update(terminal).values(waiting=0))
    assert "Tout est arrivé" in words(await look(marie, here))
    assert (await send(marie, form_to(page, f"{here}/terminals"), terminal=[str(other)])).status_code == 404


@both
async def test_what_the_network_sets_opens_refunds_and_begins_a_settlement(network: Network) -> None:
    await network.rules(RAF, replace(PAID, refund=Refund(closes="2020-01-01")))
    at = await held_yesterday(network)
    here = f"/admin/events/{at.id}/closing"
    async with network.engine.connect() as connection:
        assert RAF.code not in open_now(await world(connection))
    marie, nadia = await network.person("marie"), await network.person("nadia")
    assert f"{here}/terms" not in (await look(marie, here)).text, "a venue does not set the network's days"
    form = form_to(await look(nadia, here), f"{here}/terms")
    for wrong in ({"refund_opens": "2026-01-01"}, {"cut_off": "2020-01-01T10:00"}, {"cut_off": "soon"}):
        assert (await send(nadia, form, **wrong)).status_code == 422
    today = business_day(now_us(), (await the_network_of(network)).settings.zone)
    days = {"refund_opens": str(today - DAY), "refund_closes": str(today + DAY)}
    ended = (await look(nadia, f"/api/v1/events/{at.id}")).json()["ends_at_us"]
    assert led_to(await send(nadia, form, **days)) == here
    async with network.engine.connect() as connection:
        assert RAF.code in open_now(await world(connection))
    cut_off = {"cut_off_us": ended + HOUR_US, "refund": None}
    assert (await nadia.put(f"/api/v1/events/{at.id}/closing", json=cut_off)).status_code == 204
    async with network.engine.connect() as connection:
        assert await refund_windows(connection) == []
        assert RAF.code not in open_now(await world(connection))
    run = led_to(await send(nadia, form_to(await look(nadia, here), f"{here}/settle")))
    assert run.startswith("/admin/settlements/")
    again = await send(nadia, form_to(await look(nadia, here), f"{here}/settle"))
    assert "Un autre règlement est ouvert" in words(again)
    assert (await look(nadia, run)).status_code == 200


def test_a_terminal_that_was_silent_has_not_delivered() -> None:
    assert delivered(9, 0, 10) == "silent"
    assert delivered(10, 1, 10) == "rows"
    assert delivered(10, 0, 10) == "all"


dates = st.dates(date(2027, 1, 1), date(2027, 12, 31))
windows = st.builds(lambda a, b: Window(min(a, b), max(a, b)), dates, dates)


@given(st.lists(windows, max_size=4), st.none() | windows, dates)
def test_refunds_are_open_on_the_rules_days_and_on_events_days(
    some: list[Window], own: Window | None, today: date
) -> None:
    terms = Refund() if own is None else Refund(opens=str(own.opens), closes=str(own.closes))
    policy, several = replace(PAID, refund=terms), sorted(some, key=lambda it: it.opens)
    now = in_windows(policy, several, today)
    assert (closed(now, today) == "") is (own is None or today in own or any(today in it for it in several))
    off = replace(policy, redeem=Redeem(who=("venues",)))
    assert in_windows(off, several, today) == off


def test_the_next_days_of_refunds_are_told() -> None:
    over = replace(PAID, refund=Refund(closes="2027-01-01"))
    now = in_windows(over, [Window(TODAY + DAY, TODAY + 3 * DAY)], TODAY)
    assert (closed(now, TODAY), now.refund.opens) == ("early", "2027-07-02")
