"""Who owes whom, and what a figure is made of."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta

from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.settlement.positions_csv import positions_csv
from app.settlement.service import Position, sums
from app.web.i18n import texts_in
from app.wire import VoidRow
from tests.support.network import RAF, TEMPS, Network
from tests.support.pages import ENGLISH, FRENCH, led_to, look, words


async def evening(network: Network) -> None:
    """Raffinerie takes 20 € of cash and sells for 7 € and an hour; Canal sells for 5 €."""
    await network.top_up("awa", 2000)
    await network.shift("awa", 120)
    raffinerie, canal = await network.terminal("raffinerie", "Bar du fond"), await network.terminal("canal")
    for answer in (
        await raffinerie.sell("awa", {"Demi": 2}),
        await raffinerie.sell("awa", {"Demi": 2}, "TEMPS"),
        await canal.sell("awa", {"Café": 1, "Tarte": 1}),
    ):
        assert answer.status_code == 201, answer.text


async def test_the_first_page_says_who_owes_whom(network: Network) -> None:
    await evening(network)
    said = words(await look(await network.person("nadia"), "/admin"))
    assert "Qui doit quoi à qui ?" in said
    assert "Le réseau doit aux lieux 5,00 €" in said
    assert "Les lieux doivent au réseau 13,00 €" in said
    assert "Raffinerie 13,00 € à verser 7,00 € 1 h 20,00 €" in said
    assert "Canal 5,00 € à recevoir 5,00 € 0 min 0,00 €" in said
    assert "Total 8,00 € à verser 12,00 € 1 h 20,00 €" in said


async def test_a_venue_s_admin_sees_their_venue_alone(network: Network) -> None:
    await evening(network)
    yann = await network.person("yann")
    page = await look(yann, "/admin")
    assert "Canal" in words(page)
    assert "Raffinerie" not in words(page)
    assert "Le réseau vous doit 5,00 €" in words(page)
    assert 'href="/admin/reserve"' not in page.text
    table = await look(yann, "/admin/positions.csv")
    assert "Raffinerie" not in table.text
    assert (await look(yann, f"/admin/venues/{network.venues['raffinerie'].id}")).status_code == 403
    assert (await look(yann, "/admin/reserve")).status_code == 403


async def test_a_cashier_is_led_to_the_counter_and_sees_nothing_else(network: Network) -> None:
    lucas = await network.person("lucas")
    assert led_to(await look(lucas, "/admin")) == "/admin/counter"
    counter = await look(lucas, "/admin/counter")
    assert 'href="/admin/counter"' in counter.text
    assert all(
        f'href="/admin/{place}"' not in counter.text for place in ("reserve", "exceptions", "terminals", "hours")
    )
    venue = f"/admin/venues/{network.venues['raffinerie'].id}"
    for path in ("/admin/positions.csv", "/admin/exceptions", "/admin/terminals", "/admin/hours", venue):
        assert (await look(lucas, path)).status_code == 403, path


async def test_who_is_not_signed_in_is_led_to_the_sign_in_page_and_back(network: Network) -> None:
    assert led_to(await look(network.client, "/admin")) == "/sign-in?next=/admin"
    answer = await network.client.get("/admin/positions.csv")
    assert answer.status_code == 401, "a program is told so"


async def test_every_figure_opens_to_what_it_is_made_of(network: Network) -> None:
    await evening(network)
    bar = await network.terminal("raffinerie", "Terrasse")
    sale = bar.sale("awa", {"Eau": 3})
    await bar.sell(sale)
    await bar.deliver(VoidRow(id=uuid7(), sale=sale.id, at_us=now_us(), reason="Erreur", cashier=None))
    here = f"/admin/venues/{network.venues['raffinerie'].id}"
    page = await look(await network.person("marie"), here)
    said = words(page)
    assert "Vendu : Rafftou 7,00 €" in said
    assert "Espèces de recharge 20,00 €" in said
    assert "Crédité : Heures 2 h" in said
    assert "Vente 2 × Demi, Bar du fond 7,00 €" in said
    assert "Vente annulée 3 × Eau, Erreur, Terrasse −3,00 €" in said
    assert "Bénévolat Plonge 2 h" in said
    day_before = network.venues["raffinerie"].day_of(now_us()) - timedelta(days=1)
    assert f'href="{here}?day={day_before}"' in page.text
    before = await look(await network.person("marie"), f"{here}?day={day_before}")
    assert "Rien ce jour-là" in words(before)


async def test_a_day_to_come_is_today_and_no_day_is_refused(network: Network) -> None:
    here = f"/admin/venues/{network.venues['raffinerie'].id}"
    marie = await network.person("marie")
    assert "Aujourd’hui" in words(await look(marie, f"{here}?day=2999-01-01"))
    assert (await look(marie, f"{here}?day=hier")).status_code == 422


async def test_a_long_day_is_read_page_by_page(network: Network) -> None:
    for _ in range(103):
        await network.top_up("awa", 100)
    here = f"/admin/venues/{network.venues['raffinerie'].id}"
    marie = await network.person("marie")
    first = await look(marie, here)
    assert first.text.count("Recharge en espèces") == 100
    assert "Espèces de recharge 103,00 €" in words(first), "the totals are the whole day's"
    link = first.text.partition(f'href="{here}?day=')[2].partition("&amp;before=")
    day, before = link[0][-10:], link[2].partition('"')[0]
    assert (await look(marie, f"{here}?day={day}&before={before}")).text.count("Recharge en espèces") == 3


async def test_the_table_for_a_spreadsheet_adds_up(network: Network) -> None:
    await evening(network)
    nadia = await network.person("nadia")
    answer = await nadia.get("/admin/positions.csv", headers=FRENCH)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment; filename=" in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert rows[0] == [
        "Lieu",
        "Rafftou (€)",
        "Heures (minutes)",
        "Espèces détenues pour le réseau (€)",
        "Créances en euros (€)",
        "Net dû au lieu (€)",
    ]
    assert rows[1] == ["Raffinerie", "7,00", "60", "20,00", "7,00", "-13,00"]
    assert rows[2] == ["Canal", "5,00", "0", "0,00", "5,00", "5,00"]
    english = (await nadia.get("/admin/positions.csv", headers=ENGLISH)).content.decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(english)))[1] == ["Raffinerie", "7.00", "60", "20.00", "7.00", "-13.00"]


async def test_a_name_is_not_run_as_a_formula(network: Network) -> None:
    venue = replace(network.venues["canal"], name="=cmd|' /C calc'!A1")
    text = positions_csv([Position(venue, {"RAF": 1, "TEMPS": 0}, 0, 1)], [RAF, TEMPS], texts_in("en"))
    assert text.splitlines()[1].startswith("'=cmd")


async def test_sums_keep_the_two_directions_apart(network: Network) -> None:
    canal, raffinerie = network.venues["canal"], network.venues["raffinerie"]
    found = [Position(canal, {"RAF": 500}, 0, 500), Position(raffinerie, {"RAF": 700}, 2000, 700)]
    whole = sums(found, {"RAF": RAF})
    assert (whole.owed_cents, whole.owing_cents, whole.net_cents) == (500, 1300, -800)
    assert whole.net_cents == whole.owed_cents - whole.owing_cents
