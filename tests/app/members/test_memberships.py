"""Memberships: bought once, paid into the right accounts, seen by those who keep the register."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from app.cards.claim_codes import claim_code_of
from app.ledger.service import Ledger
from app.members import buying
from app.members.plans import Plan, make_plan
from app.members.tables import member_term
from app.members.terms import is_member
from app.platform.clock import now_us
from app.platform.errors import Unavailable
from app.rules.ids import uuid7
from app.rules.membership import Period, Rolling, Season, next_period, standing
from app.venues.service import the_network
from tests.support.network import RAF, Network, both
from tests.support.pages import form_to, led_to, look, send, words


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


async def plan_of(network: Network, slug: str | None, price: int, shares: int = 0) -> Plan:
    venue = network.venues[slug] if slug else None
    new = Plan(uuid7(), venue.id if venue else None, "Adhésion", "Membership", "RAF", price, Rolling(12), shares)
    async with network.engine.begin() as connection:
        await make_plan(connection, "command line", new, RAF, venue)
    return new


async def rows(network: Network) -> list[sa.Row[Any]]:
    async with network.engine.connect() as connection:
        return list((await connection.execute(sa.select(member_term))).all())


def page(network: Network, plan: Plan, card: str = "awa") -> str:
    return f"/c/{network.cards[card].token}/memberships/{plan.id}"


def code(network: Network, card: str = "awa") -> str:
    return claim_code_of(network.context.keys.token, network.cards[card].token)


async def balance(network: Network, kind: str) -> int:
    return sum(it.balance for it in await network.ledger.balances(kinds=[kind]))


@given(st.dates(date(2024, 1, 1), date(2030, 1, 1)), st.integers(1, 36), st.integers(-400, 900))
@settings(max_examples=60)
def test_a_renewal_begins_where_the_last_one_ends(today: date, months: int, ago: int) -> None:
    first = next_period(Rolling(months), today, None)
    assert first is not None
    assert first.first == today
    assert first.holds(first.last)
    assert 27 <= (first.last - first.first).days + 1 <= months * 31
    later = today + timedelta(ago)
    then = next_period(Rolling(months), later, first)
    if later < first.first:
        assert then is None
    elif later <= first.last:
        assert then is not None
        assert then.first == first.last + timedelta(1)
    else:
        assert then is not None
        assert then.first == later


def test_a_season_is_the_same_for_all_and_words_follow_the_days() -> None:
    season = Season(date(2026, 9, 1), date(2027, 8, 31))
    assert next_period(season, date(2026, 11, 27), None) == Period(date(2026, 11, 27), date(2027, 8, 31))
    assert next_period(season, date(2026, 7, 1), None) == Period(date(2026, 9, 1), date(2027, 8, 31))
    assert next_period(season, date(2026, 12, 1), Period(date(2026, 11, 27), date(2027, 8, 31))) is None
    assert next_period(season, date(2027, 9, 1), None) is None
    year = Period(date(2026, 1, 1), date(2026, 12, 31))
    told = [standing(year, date(*it)) for it in [(2025, 12, 31), (2026, 6, 1), (2026, 12, 31), (2027, 1, 1)]]
    assert told == ["later", "valid", "soon", "over"]
    assert next_period(Rolling(1), date(2027, 1, 31), None) == Period(date(2027, 1, 31), date(2027, 2, 27))


async def test_bought_on_the_cards_page_with_the_code_of_its_back(network: Network) -> None:
    plan = await plan_of(network, None, 23500, 10000)
    await network.top_up("awa", 30000)
    home = f"/c/{network.cards['awa'].token}"
    assert f'href="{home}/memberships"' in (await look(network.client, home)).text
    assert str(plan.id) in (await look(network.client, f"{home}/memberships")).text
    form = form_to(await look(network.client, page(network, plan)), page(network, plan))
    bare = await send(network.client, form)
    assert bare.status_code == 422
    assert "Les parts sont à un nom" in words(bare)
    said = {"name": "Awa  Payet", "agreed": "yes"}
    assert "Ce n’est pas le code de cette carte" in words(await send(network.client, form, **said, code="AAAA-BBBB"))
    assert await rows(network) == []
    for _ in range(2):
        led = led_to(await send(network.client, form, **said, code=code(network)))
    assert "Bienvenue" in words(await look(network.client, led))
    (row,) = await rows(network)
    assert (row.name, row.state, row.price, row.shares) == ("Awa Payet", "held", 23500, 10000)
    assert (await network.holds("awa"))["RAF"] == 6500
    assert await balance(network, "capital") == 10000
    assert await balance(network, "membership_income") == 13500
    assert "Awa" not in (await network.ledger.booked([row.id]))[row.id].details
    async with network.engine.connect() as connection:
        wallet = network.cards["awa"].wallet
        assert await is_member(connection, wallet, now_us())
        assert await is_member(connection, wallet, now_us(), plan=plan.id)
        assert not await is_member(connection, wallet, now_us(), venue=network.venues["canal"].id)
        assert not await is_member(connection, wallet, now_us() + 400 * 86_400_000_000)
    assert "ne suffit pas" in words(await look(network.client, page(network, plan)))


@both
async def test_a_venue_is_paid_as_for_a_sale_and_pressed_at_once_it_is_bought_once(network: Network) -> None:
    plan = await plan_of(network, "raffinerie", 1500)
    await network.top_up("awa", 10000)
    form = form_to(await look(network.client, page(network, plan)), page(network, plan))
    other = form_to(await look(network.client, page(network, plan)), page(network, plan))
    sent = [send(network.client, it, code=code(network)) for it in (form, form, form, other)]
    answers = await asyncio.gather(*sent)
    assert sorted(it.status_code for it in answers)[:1] == [303]
    held = [it for it in await rows(network) if it.state == "held"]
    # The other form may have come after the first had ended, and renewed.
    assert 1 <= len(held) <= 2
    assert len({(it.first_day, it.last_day) for it in held}) == len(held)
    assert (await network.holds("awa"))["RAF"] == 10000 - 1500 * len(held)
    assert await balance(network, "claim") == 1500 * len(held)


async def test_a_server_that_stops_in_between_is_finished_by_the_next_look(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = await plan_of(network, "raffinerie", 1500)
    await network.top_up("awa", 10000)
    offer = buying.Offer(plan, RAF, network.venues["raffinerie"], await the(network))
    card, true_post = network.cards["awa"], Ledger.post_one

    async def lost_after(self: Ledger, operation: Any) -> Any:
        await true_post(self, operation)
        raise Unavailable("Gone.", 1)

    async def lost_before(self: Ledger, operation: Any) -> Any:
        raise Unavailable("Gone.", 1)

    for lost in (lost_after, lost_before):
        monkeypatch.setattr(Ledger, "post_one", lost)
        with pytest.raises(Unavailable):
            await buying.buy(network.ledger, offer, card, buying.Buyer(), uuid7(), actor="holder")
    monkeypatch.setattr(Ledger, "post_one", true_post)
    assert sorted(it.state for it in await rows(network)) == ["held", "pending"]
    monkeypatch.setattr(buying, "ABANDONED_US", -1_000_000)
    await buying.finish(network.ledger)
    assert [it.state for it in await rows(network)] == ["held"]
    assert (await network.holds("awa"))["RAF"] == 8500


async def test_too_little_on_the_card_leaves_nothing(network: Network) -> None:
    plan = await plan_of(network, "raffinerie", 1500)
    await network.top_up("awa", 1000)
    told = await network.client.post(
        page(network, plan), data={"id": str(uuid7()), "code": code(network)}, headers={"Accept-Language": "en"}
    )
    assert told.status_code == 422
    assert await rows(network) == []


async def test_the_register_is_the_venues_own_and_admins_sell_correct_and_cancel(network: Network) -> None:
    marie, yann, hugo = [await network.person(it) for it in ("marie", "yann", "hugo")]
    here = "/admin/memberships"
    form = form_to(await look(marie, f"{here}/new"), f"{here}/new")
    venue = str(network.venues["raffinerie"].id)
    named = {"name_fr": "Amis du lieu", "name_en": "Friends", "price": "15", "currency": "RAF", "of": venue}
    led_to(await send(marie, form, **named, first="2026-01-01", last="2099-12-31"))
    stolen = await send(marie, form, **{**named, "of": str(network.venues["canal"].id)}, months="12")
    assert stolen.status_code == 403
    assert (await send(marie, form, **{**named, "price": "viel"})).status_code == 422
    await network.top_up("awa", 5000)
    sell = form_to(await look(marie, f"{here}/sell?card=04A0000000A001"), f"{here}/sell")
    plan = (await look(marie, f"{here}/sell")).text.partition('name="plan" value="')[2].partition('"')[0]
    led = led_to(await send(marie, sell, plan=plan, name="=Awa"))
    term = UUID(led.rpartition("/")[2])
    assert "=Awa" in words(await look(hugo, here))
    assert "=Awa" not in words(await look(yann, here))
    assert (await look(yann, led)).status_code == 404
    table = await look(marie, f"{here}/register.csv")
    assert "'=Awa" in table.text
    assert (await look(marie, f"{here}/register.xlsx")).content[:2] == b"PK"
    assert "=Awa" not in (await look(yann, f"{here}/register.csv")).text
    one = form_to(await look(marie, led), led)
    assert (await send(yann, one, act="cancel", reason="x")).status_code == 403
    led_to(await send(marie, one, act="correct", name="Awa Payet"))
    assert (await send(marie, one, act="cancel", reason=" ")).status_code == 422
    led_to(await send(marie, one, act="cancel", reason="Deux fois."))
    for _ in range(2):
        led_to(await send(marie, one, act="give_back"))
    (row,) = await rows(network)
    assert (row.id, row.name, row.state) == (term, "Awa Payet", "cancelled")
    assert (await network.holds("awa"))["RAF"] == 5000
    assert "Le prix a été rendu à la carte" in words(await look(marie, led))


async def the(network: Network) -> Any:
    async with network.engine.connect() as connection:
        return await the_network(connection)
