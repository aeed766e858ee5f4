"""Where the card works and when it is open: on pages, for programs, and in the network's file."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.venues.opening import Now, Opening, now_of, read, read_day, written
from tests.support.network import Network, problem
from tests.support.pages import ENGLISH, form_to, led_to, look, send, words

PARIS = "Europe/Paris"
EVENING = Opening({4: ((time(18), time(2)),), 5: ((time(10), time(14)), (time(14), time(23)))})


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


def at(text: str) -> int:
    """An instant of November 2026 in Paris, in microseconds; the 13th is a Friday."""
    return int(datetime.fromisoformat(f"2026-11-{text}:00+01:00").timestamp()) * 1_000_000


def wall(text: str) -> datetime:
    """What a clock on a wall shows in November 2026."""
    return datetime.fromisoformat(f"2026-11-{text}:00")


def test_open_until_when_or_next_when() -> None:
    assert now_of(EVENING, at("13T18:00"), PARIS) == Now(until=wall("14T02:00"))
    assert now_of(EVENING, at("14T01:59"), PARIS) == Now(until=wall("14T02:00")), "after midnight"
    assert now_of(EVENING, at("14T02:00"), PARIS) == Now(next=wall("14T10:00"))
    assert now_of(EVENING, at("14T12:00"), PARIS) == Now(until=wall("14T23:00")), "without a gap"
    assert now_of(EVENING, at("15T12:00"), PARIS) == Now(next=wall("20T18:00"))
    closed = Opening(EVENING.weekly, {date(2026, 11, 20): ()})
    assert now_of(closed, at("15T12:00"), PARIS) == Now(next=wall("21T10:00")), "an exception"
    assert now_of(Opening(), at("15T12:00"), PARIS) == Now()
    assert now_of(EVENING, at("13T15:30"), "Indian/Reunion").until is not None, "on the venue's own clock"


CLOCKS = st.builds(time, st.integers(0, 23), st.integers(0, 59))


@settings(max_examples=40)
@given(st.lists(st.tuples(CLOCKS, CLOCKS), max_size=4))
def test_what_is_written_is_read_back(spans: list[tuple[time, time]]) -> None:
    kept = tuple(sorted(spans))
    assert read(written(kept)) == kept


def test_hours_as_people_write_them() -> None:
    assert read("18h30 à 2h") == ((time(18, 30), time(2)),)
    assert read("10 h – 14 h 15 et 17:00-24:00") == ((time(10), time(14, 15)), (time(17), time(0)))
    assert read("fermé") == ()
    assert read("le soir") is None
    assert read("25:00-26:00") is None
    assert read_day("25/12/2026") == read_day("2026-12-25") == date(2026, 12, 25)
    assert read_day("31/02/2026") is None


async def test_a_venue_says_it_and_holders_read_it(network: Network) -> None:
    marie, page = await network.person("marie"), f"/admin/products/{network.venues['raffinerie'].id}/place"
    form = form_to(await look(marie, page), page)
    wrong = await send(marie, form, **{"day.4": "le soir", "days": "Noël fermé"})
    assert wrong.status_code == 422
    assert "Cette ligne n’est pas comprise : Noël fermé" in words(wrong)
    every_day = {f"day.{day}": "0h-24h" for day in range(7)}
    said = {"address": "12 rue des Vavangues", "tops_up.cash": "yes", **every_day}
    led_to(await send(marie, form, **said, days="25/12/2099 fermé"))
    shown = await look(network.client, "/places")
    assert shown.headers["cache-control"] == "public, max-age=60"
    assert "Raffinerie 12 rue des Vavangues Ouvert, jusqu’à" in words(shown)
    assert "Accepte : Rafftou, Heures" in words(shown)
    assert "Recharge les cartes en espèces" in words(shown)
    own = await network.client.get(f"/c/{network.cards['awa'].token}/places", headers=ENGLISH)
    assert "Tops cards up in cash" in words(own)
    assert (await look(network.client, "/c/nobody/places")).status_code == 404
    lost_race = await send(marie, form, **said)
    assert "Quelqu’un d’autre a modifié" in words(lost_race)
    yann = await network.person("yann")
    assert (await look(yann, page)).status_code == 403


async def test_programs_say_and_read_it(network: Network) -> None:
    marie, venue = await network.person("marie"), network.venues["raffinerie"].id
    opening = {"weekly": {"fri": "18:00-02:00"}, "days": {"2026-12-25": "closed"}}
    body = {"address": "12 rue des Vavangues", "tops_up": ["bank_card"], "opening": opening}
    assert (await marie.put(f"/api/v1/venues/{venue}/place", json=body)).status_code == 204
    (shown,) = [it for it in (await network.get("marie", "/venues")).json() if it["slug"] == "raffinerie"]
    assert {name: shown[name] for name in body} == body
    for wrong in ({"weekly": {"dim": "18:00-02:00"}}, {"weekly": {"fri": "soon"}}, {"days": {"Xmas": "closed"}}):
        answer = await marie.put(f"/api/v1/venues/{venue}/place", json={**body, "opening": wrong})
        assert problem(answer)[0] == 422
