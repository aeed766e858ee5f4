"""What admins and holders read about what lapses."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from app.lapses.store import Group, Notice
from app.rules.policy import Lapse
from tests.app.lapses.conftest import GROUND, Clock, announce, book, rule, told
from tests.support.network import Network
from tests.support.pages import FRENCH, look, words

YEAR = Lapse(expires_after_days=365, notice_days=30, beneficiary="network", legal_ground=GROUND)


@pytest.fixture
def database_kind() -> str:
    """What stands on a page does not depend on the database."""
    return "sqlite"


async def announced(network: Network, clock: Clock) -> Notice:
    """Awa's 20 € and Basile's 3 € are to expire."""
    await network.top_up("awa", 2000)
    await network.top_up("basile", 300)
    await rule(network, "RAF", YEAR)
    clock.go(340)
    assert await announce(network) == 2
    return (await told(network, "awa"))[0]


def address(of: Group) -> str:
    return f"/admin/lapses/{of.currency}/{of.effect}/{of.period}"


async def test_a_network_without_such_rules_reads_that_nothing_is_announced(network: Network) -> None:
    page = await look(await network.person("nadia"), "/admin/lapses")
    assert "Rien n’est annoncé" in words(page)
    assert 'href="/admin/lapses" aria-current="page"' in page.text


async def test_what_is_to_come_opens_to_what_each_card_would_lose(network: Network, clock: Clock) -> None:
    of = (await announced(network, clock)).group
    nadia = await network.person("nadia")
    page = await look(nadia, "/admin/lapses")
    assert "23,00 € Rafftou Expiration 2" in words(page)
    assert f'href="{address(of)}"' in page.text
    bar = await network.terminal("raffinerie")
    assert (await bar.sell("awa", {"Demi": 2})).status_code == 201
    said = words(await look(nadia, address(of)))
    assert "Serait perdu 16,00 €" in said
    assert "Annoncé au plus 23,00 €" in said
    assert "20,00 € 13,00 € RAF@1" in said


async def test_what_is_over_stays_to_be_read(network: Network, clock: Clock) -> None:
    of = (await announced(network, clock)).group
    clock.go(33)
    assert await book(network) == 2
    nadia = await network.person("nadia")
    assert "23,00 € Rafftou Expiration 2" in words(await look(nadia, "/admin/lapses"))
    said = words(await look(nadia, address(of)))
    assert "Perdu avec le temps 23,00 €" in said
    assert "Serait perdu" not in said


async def test_the_table_for_a_spreadsheet_is_the_page(network: Network, clock: Clock) -> None:
    of = (await announced(network, clock)).group
    answer = await (await network.person("nadia")).get(f"{address(of)}/table.csv", headers=FRENCH)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert rows[0] == ["Carte", "Échéance", "Annoncé au plus (€)", "Serait perdu (€)", "Règles"]
    assert rows[1:] == [
        ["Carte de awa", of.period.isoformat(), "20,00", "20,00", "RAF@1"],
        ["Carte de basile", of.period.isoformat(), "3,00", "3,00", "RAF@1"],
    ]


async def test_a_day_on_which_nothing_falls_due_is_not_there(network: Network) -> None:
    nadia = await network.person("nadia")
    assert (await look(nadia, "/admin/lapses/RAF/expiry/2026-01-01")).status_code == 404
    assert (await look(nadia, "/admin/lapses/RAF/growth/2026-01-01")).status_code == 422


async def test_holders_are_told_on_their_own_page(network: Network, clock: Clock) -> None:
    home = f"/c/{network.cards['awa'].token}"
    assert f'href="{home}/notices"' not in (await look(network.client, home)).text
    await announced(network, clock)
    assert f'href="{home}/notices"' in (await look(network.client, home)).text
    assert "20,00 €" in words(await look(network.client, f"{home}/notices"))
    other = f"/c/{network.cards['camille'].token}/notices"
    assert "Rien ne va se perdre pour l’instant" in words(await look(network.client, other))
    clock.go(33)
    await book(network)
    assert "Perdu selon les règles de la monnaie" in words(await look(network.client, home))


async def test_programs_read_the_same(network: Network, clock: Clock) -> None:
    notice = await announced(network, clock)
    (period,) = (await network.get("nadia", "/lapses")).json()["coming"]
    assert (period["wallets"], period["open"], period["announced"], period["taken"]) == (2, 2, 2300, 0)
    lines = (await network.get("nadia", f"/lapses/RAF/expiry/{notice.period}")).json()
    assert [(it["taken"], it["open"]) for it in lines] == [(2000, True), (300, True)]
    assert lines[0]["id"] == str(notice.id)
    clock.go(33)
    await book(network)
    network.forget("nadia")
    found = (await network.get("nadia", "/lapses")).json()
    assert found["coming"] == []
    assert found["over"][0]["taken"] == 2300
    assert (await network.get("nadia", "/credit-growth")).json() == []


async def test_two_rules_on_one_wallet_are_foreseen_one_after_the_other(network: Network, clock: Clock) -> None:
    await network.shift("awa", 100)
    both = Lapse(dormant_after_days=60, demurrage_basis_points=1000, demurrage_every_days=60, notice_days=30)
    await rule(network, "TEMPS", replace(both, beneficiary="fund"))
    clock.go(29)
    await announce(network)
    said = words(await look(network.client, f"/c/{network.cards['awa'].token}/notices"))
    assert "10 min" in said
    assert "1 h 30" in said
