"""An evening of two venues on paper: what each took, where the money had been loaded, and each figure opened."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, timedelta

import pytest

from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.settlement.ageing import Rest, dormant, part_of
from app.settlement.flow_picture import flow_picture
from app.wire import VoidRow
from tests.support.books import online
from tests.support.network import Network
from tests.support.pages import look, words

pytestmark = pytest.mark.anyio


async def evening(network: Network) -> None:
    """Awa loads 20 € in cash at Raffinerie, drinks two Demi there (7 €), takes them back, drinks one (3,50 €), and
    spends 5 € at Canal. Basile loads 5 € at Canal, has a coffee there (1,60 €), and without network a Demi at
    Raffinerie (3,50 €): 10 cents too little. Tomorrow he loads 1 € at Canal, which pays for them."""
    await network.top_up("awa", 2000)
    await network.top_up("basile", 500, "canal")
    raffinerie, canal = await network.terminal("raffinerie"), await network.terminal("canal")
    mistake = raffinerie.sale("awa", {"Demi": 2})
    for answer in (
        await raffinerie.sell(mistake),
        await raffinerie.sell("awa", {"Demi": 1}),
        await canal.sell("awa", {"Café": 1, "Tarte": 1}),
        await canal.sell("basile", {"Café": 1}),
    ):
        assert answer.status_code == 201, answer.text
    await raffinerie.deliver(
        VoidRow(id=uuid7(), sale=mistake.id, at_us=now_us(), reason="Erreur", cashier=None),
        raffinerie.sale_row("basile", {"Demi": 1}),
    )
    await network.top_up("basile", 100, "canal")


def span(network: Network, first: int = 0, last: int = 0) -> str:
    today = network.venues["raffinerie"].day_of(now_us())
    return f"first={today + timedelta(first)}&last={today + timedelta(last)}"


async def test_each_venue_s_period_leads_from_its_opening_to_its_closing(network: Network) -> None:
    await evening(network)
    nadia = await network.person("nadia")
    said = words(await look(nadia, f"/admin/positions?{span(network, -1, 1)}"))
    assert "Lieu Ouverture Vendu Annulé Réglé Clôture" in said
    assert "Raffinerie 0,00 € 14,00 € −7,00 € 0,00 € 7,00 €" in said
    assert "Canal 0,00 € 6,60 € 0,00 € 0,00 € 6,60 €" in said
    assert "Total 0,00 € 20,60 € −7,00 € 0,00 € 13,60 €" in said
    assert "Raffinerie 20,00 € 0,00 € 0,00 €" in said, "loaded, refunded, deposits"
    assert "Canal 6,00 € 0,00 € 0,00 €" in said
    assert "Raffinerie 0,00 € 20,00 € 0,00 € 0,00 € 20,00 €" in said, "cash that it owes"
    later = words(await look(nadia, f"/admin/positions?{span(network, 2, 3)}"))
    assert "Raffinerie 7,00 € 0,00 € 0,00 € 0,00 € 7,00 €" in later
    assert "Rien n’est perdu" not in later


async def test_what_was_loaded_online_is_at_no_venue(network: Network) -> None:
    await evening(network)
    await online(network, "awa", 5000)
    nadia = await network.person("nadia")
    said = words(await look(nadia, f"/admin/positions?{span(network, -1, 1)}"))
    assert "Canal 6,00 € 0,00 € 0,00 € En ligne ou ailleurs 50,00 € 0,00 € 0,00 € Total 76,00 € 0,00 € 0,00 €" in said
    table = await look(nadia, f"/admin/positions/period.csv?{span(network, -1, 1)}")
    assert "En ligne ou ailleurs;RAF;Chargé sur des cartes;50,00;1" in table.text
    period = (await network.get("nadia", f"/positions/period?{span(network, -1, 1)}")).json()
    assert period["elsewhere"]["RAF"]["loaded"]["amount"] == 5000
    # A venue sees what happened at its own counters.
    marie = await network.person("marie")
    assert "En ligne ou ailleurs 50,00" not in words(await look(marie, f"/admin/positions?{span(network, -1, 1)}"))
    assert (await network.get("marie", f"/positions/period?{span(network, -1, 1)}")).json()["elsewhere"] == {}


async def test_the_matrix_says_where_spent_money_had_been_loaded(network: Network) -> None:
    await evening(network)
    page = await look(await network.person("nadia"), f"/admin/positions?{span(network, -1, 1)}")
    said = words(page)
    assert "Chargé à Raffinerie Canal Total" in said
    assert "Raffinerie 3,50 € 5,00 € 8,50 €" in said, "Awa's"
    assert "Canal 3,50 € 1,60 € 5,10 €" in said, "Basile's, with the 10 cents that he loaded afterwards"
    assert "Total 7,00 € 6,60 € 13,60 €" in said
    assert page.text.count('class="flows-band') == 4
    assert "jusqu’à 1 mois 12,40 € 100 %" in said, "Awa has 11.50 left, Basile 90 cents"


async def test_a_figure_opens_to_its_days_and_each_day_to_its_operations(network: Network) -> None:
    await evening(network)
    venue = network.venues["raffinerie"].id
    marie = await network.person("marie")
    opened = await look(marie, f"/admin/positions/{venue}?{span(network, -1, 1)}&money=RAF")
    assert "14,00 € 4 transferts −7,00 € 1 transfert 20,00 € 1 transfert" in words(opened)
    assert f'href="/admin/venues/{venue}?day={network.venues["raffinerie"].day_of(now_us())}"' in opened.text
    theirs = words(await look(marie, f"/admin/positions?{span(network, -1, 1)}"))
    assert "Clôture Raffinerie" in theirs
    assert "Canal 0,00" not in theirs, "another venue's figures are not hers"
    assert "En ligne ou ailleurs 3,50 €" in theirs, "loaded at another venue, which is not named"
    canal = network.venues["canal"].id
    assert (await look(marie, f"/admin/positions/{canal}?{span(network)}&money=RAF")).status_code == 403


async def test_an_operation_opens_to_its_transfers_and_to_what_was_sold(network: Network) -> None:
    await evening(network)
    raffinerie, canal = network.venues["raffinerie"].id, network.venues["canal"].id
    marie = await network.person("marie")
    opened = [
        await look(marie, it)
        for it in re.findall(
            r'href="(/admin/operations/[^"]+)"', (await look(marie, f"/admin/venues/{raffinerie}")).text
        )
    ]
    assert len(opened) == 5
    read = [words(it) for it in opened]
    (mistake,) = [it for it in read if "Annulé par la suite" in it]
    assert "2 × Demi 7,00 €" in mistake
    assert "Rafftou Carte Carte de awa Recettes des lieux : Raffinerie 7,00 €" in mistake
    assert sum("Ce que cela annule" in it for it in read) == 1
    (loaded,) = [it for it in read if "Recharge en espèces" in it]
    assert "Euros gardés pour autrui Détenu pour l’émetteur : Raffinerie Dû aux porteurs" in loaded
    nadia = await network.person("nadia")
    (other, *_) = re.findall(r'href="(/admin/operations/[^"]+)"', (await look(nadia, f"/admin/venues/{canal}")).text)
    assert (await look(nadia, other)).status_code == 200
    assert (await look(marie, other)).status_code == 404, "another venue's operations are not hers"


async def test_the_table_holds_every_figure_for_a_spreadsheet(network: Network) -> None:
    await evening(network)
    answer = await look(await network.person("nadia"), f"/admin/positions/period.csv?{span(network, -1, 1)}")
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")), delimiter=";"))
    assert rows[0] == ["Lieu", "Monnaie", "Quoi", "Montant", "Transferts"]
    assert ["Raffinerie", "RAF", "Vendu", "14,00", "4"] in rows
    assert ["Canal", "EUR", "Espèces gardées pour le réseau\u00a0: Clôture", "6,00", ""] in rows


async def test_programs_read_the_same_figures(network: Network) -> None:
    await evening(network)
    found = (await network.get("nadia", f"/positions/period?{span(network, 1, -1)}")).json()
    raffinerie, canal = found["venues"]
    assert (found["behind"], raffinerie["slug"], canal["slug"]) == (False, "raffinerie", "canal")
    nothing = {"amount": 0, "transfers": 0}
    assert raffinerie["taken"] == {
        "RAF": {
            "opening": 0,
            "closing": 700,
            "flows": {
                "sold": {"amount": 1400, "transfers": 4},
                "taken_back": {"amount": -700, "transfers": 1},
                "settled": nothing,
                "other": nothing,
            },
            "aside": {"loaded": {"amount": 2000, "transfers": 1}, "refunded": nothing, "deposits": nothing},
        }
    }
    assert (canal["due"]["closing"], canal["due"]["flows"]["cash"]) == (600, {"amount": 600, "transfers": 2})
    theirs = (await network.get("marie", f"/positions/period?{span(network)}")).json()
    assert [it["slug"] for it in theirs["venues"]] == ["raffinerie"], "another venue's figures are not hers"


async def test_two_days_the_wrong_way_round_are_the_same_period(network: Network) -> None:
    nadia = await network.person("nadia")
    right = words(await look(nadia, f"/admin/positions?{span(network, -1, 1)}"))
    wrong = words(await look(nadia, f"/admin/positions?{span(network, 1, -1)}"))
    assert right == wrong


def test_money_is_as_old_as_its_load() -> None:
    today = date(2026, 11, 26)
    ages = [part_of(today - timedelta(days), today) for days in (0, 30, 31, 91, 92, 182, 365, 366, 730, 731)]
    assert ages == [0, 0, 1, 1, 2, 2, 3, 4, 4, 5]


def test_bands_are_as_thick_as_what_flowed() -> None:
    picture = flow_picture(["a", None], ["x", "y"], {("a", "x"): 300, ("a", "y"): 100, (None, "y"): 0, (None, "x"): -5})
    assert picture is not None
    assert [(it.origin, it.venue, it.amount) for it in picture.bands] == [("a", "x", 300), ("a", "y", 100)]
    assert [it.height for it in picture.left] == [360]
    assert [it.height for it in picture.right] == [270, 90]
    assert flow_picture(["a"], ["x"], {}) is None


async def test_cards_rest_from_the_day_of_their_last_movement(network: Network) -> None:
    await evening(network)
    today = network.venues["raffinerie"].day_of(now_us())
    held = [(await network.holds(card))["RAF"] for card in ("awa", "basile")]
    for days, part in ((0, 0), (200, 3), (800, 5)):
        found = (await dormant(network.ledger, today + timedelta(days)))["RAF"]
        assert found[part] == Rest(sum(held), sum(it > 0 for it in held))
        assert sum(it.cards for it in found) == found[part].cards
    await network.top_up("camille", 300)
    assert (await dormant(network.ledger, today))["RAF"][0].amount == sum(held) + 300
    nadia = await network.person("nadia")
    said = words(await look(nadia, f"/admin/positions?{span(network, -1, 1)}&lang=en"))
    assert "by when its card was last used or topped up" in said
