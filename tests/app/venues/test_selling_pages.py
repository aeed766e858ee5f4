"""Hours with other prices, and how a venue is paid, changed on pages: the file, the till and the pages agree."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.cli.apply.plan import plan
from app.cli.apply.present import present
from app.cli.apply.reading import read_network_file
from app.cli.apply.writing import write_network_file
from app.cli.demo.forms import forms
from app.identity.tables import audit
from tests.support.network import Network, both
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio

HERE = "/admin/products"


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


def at(network: Network, more: str) -> str:
    return f"{HERE}/{network.venues['raffinerie'].id}/{more}"


async def said(network: Network) -> list[str]:
    async with network.context.engine.connect() as connection:
        rows = await connection.execute(sa.select(audit.c.action).order_by(audit.c.at_us))
        return [it for it in rows.scalars() if it.startswith(("hours.", "venue."))]


@both
async def test_happy_hours_are_added_changed_and_ended(network: Network) -> None:
    marie, demi = await network.person("marie"), network.product("raffinerie", "Demi")
    price = f"price.{demi.id}.RAF"
    new = at(network, "hours/new")
    happy = {"name": "Apéro", "day.4": "yes", "begins": "18:00", "ends": "20:00", price: "2,50"}
    led_to(await send(marie, form_to(await look(marie, new), new), **happy))
    page = await look(marie, f"{HERE}?venue={network.venues['raffinerie'].id}")
    assert "Apéro vendredi · 18:00 – 20:00" in words(page)
    bar = await network.terminal("raffinerie")
    (told,) = (it for it in (await bar.snapshot()).json()["products"] if it["id"] == str(demi.id))
    (window,) = told["windows"]
    assert (window["weekdays"], window["prices"]) == ([4], {"RAF": 250})
    async with network.context.engine.connect() as connection:
        have = await present(connection)
    assert have is not None
    assert plan(have, read_network_file(write_network_file(have))) == []

    where = at(network, "hours/") + page.text.partition(at(network, "hours/"))[2].partition('"')[0]
    mine, end = (it for it in forms((await look(marie, where)).text) if it.action == where)
    assert mine.fields[price] == "2,50"
    led_to(await send(marie, mine, **{"ends": "02:00", price: "2"}))
    late = await send(marie, end, act="end")
    assert late.status_code == 422
    assert "Quelqu’un d’autre a modifié ceci" in words(late)
    led_to(await send(marie, form_to(await look(marie, where), where), act="end"))
    assert (await look(marie, where)).status_code == 404
    assert await said(network) == ["hours.add", "hours.change", "hours.end"]


@both
async def test_means_and_the_fund_of_tips(network: Network) -> None:
    marie, paid = await network.person("marie"), at(network, "paid")
    form = form_to(await look(marie, paid), paid)
    led_to(await send(marie, form, **{"means.cheque": "yes", "tips_to": "Équipe du bar"}))
    page = words(await look(marie, f"{HERE}?venue={network.venues['raffinerie'].id}"))
    assert "En dehors des cartes : Espèces, Carte bancaire, avec son propre terminal, Chèque." in page
    assert "Les pourboires vont au fonds Équipe du bar." in page
    bar = await network.terminal("raffinerie")
    assert (await bar.snapshot()).json()["means"] == ["cash", "bank_card", "cheque"]
    assert (await send(marie, form, tips_to="Autre")).status_code == 422, "somebody changed it meanwhile"
    assert await said(network) == ["venue.paid"]


async def test_what_does_not_fit_is_said_beside_the_field_and_kept(network: Network) -> None:
    marie, demi = await network.person("marie"), network.product("raffinerie", "Demi")
    new = at(network, "hours/new")
    form = form_to(await look(marie, new), new)
    price = f"price.{demi.id}.RAF"
    answer = await send(marie, form, **{"name": "", "begins": "25:00", price: "peu"})
    assert answer.status_code == 422
    for text in (
        "Écrivez un nom.",
        "Choisissez au moins un jour.",
        "Écrivez une heure comme 18:00.",
        "Écrivez un montant",
    ):
        assert text in words(answer), text
    assert 'value="peu"' in answer.text
    answer = await send(marie, form, **{"name": "Apéro", "day.4": "yes"})
    assert "Écrivez un autre prix pour au moins un produit." in words(answer)


async def test_another_venue_s_hours_are_not_theirs(network: Network) -> None:
    yann = await network.person("yann")
    for more in ("hours/new", "paid"):
        assert (await look(yann, at(network, more))).status_code == 403
