"""What a venue sells, changed on its page: the file, the till and the page agree."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.cli.apply.plan import plan
from app.cli.apply.present import present
from app.cli.apply.reading import read_network_file
from app.cli.apply.writing import write_network_file
from app.identity.tables import audit
from tests.support.network import Network, both
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio

HERE = "/admin/products"
BEER = {"name_fr": "Bière d’hiver", "name_en": "Winter beer", "category": "Bières", "price.RAF": "4,20", "vat": "5,5"}


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


@both
async def test_what_the_page_makes_is_what_the_file_says(network: Network) -> None:
    marie = await network.person("marie")
    at = f"{HERE}/{network.venues['raffinerie'].id}"
    form = form_to(await look(marie, f"{at}/new"), f"{at}/new")
    assert led_to(await send(marie, form, **BEER, place="1")).startswith(HERE)
    (venue,) = (await network.get("marie", "/venues")).json()
    first = venue["products"][0]
    assert (first["names"]["en"], first["prices"]) == ("Winter beer", {"RAF": 420})
    async with network.context.engine.connect() as connection:
        have = await present(connection)
    assert have is not None
    assert next(iter(have.venues["raffinerie"].products)) == "Bière d’hiver"
    assert have.venues["raffinerie"].products["Bière d’hiver"].vat == 550
    assert plan(have, read_network_file(write_network_file(have))) == []


@both
async def test_what_is_withdrawn_and_added_again_is_the_same_product(network: Network) -> None:
    marie, eau = await network.person("marie"), network.product("raffinerie", "Eau")
    at = f"{HERE}/{network.venues['raffinerie'].id}"
    page = f"{at}/{eau.id}"
    assert led_to(await send(marie, form_to(await look(marie, page), page), act="withdraw")).startswith(HERE)
    assert (await look(marie, page)).status_code == 404
    again = {**BEER, "name_fr": "Eau", "price.RAF": "1,50"}
    led_to(await send(marie, form_to(await look(marie, f"{at}/new"), f"{at}/new"), **again))
    (venue,) = (await network.get("marie", "/venues")).json()
    assert {it["id"]: it["prices"] for it in venue["products"]}[str(eau.id)] == {"RAF": 150}
    async with network.context.engine.connect() as connection:
        said = list((await connection.execute(sa.select(audit.c.action).order_by(audit.c.at_us))).scalars())
    assert said[-2:] == ["product.withdraw", "product.add"]


async def test_what_does_not_fit_is_said_beside_the_field_and_kept(network: Network) -> None:
    marie = await network.person("marie")
    at = f"{HERE}/{network.venues['raffinerie'].id}/new"
    form = form_to(await look(marie, at), at)
    typed = {
        "name_fr": "Eau",
        "name_en": "",
        "category": "Sirops",
        "price.RAF": "beaucoup",
        "kind": "deposit",
        "vat": "120",
    }
    answer = await send(marie, form, **typed, open_price="yes", colour="rouge", place="0")
    assert answer.status_code == 422
    for said in (
        "Ce lieu vend déjà quelque chose de ce nom.",
        "Écrivez un nom.",
        "Choisissez une couleur.",
        "Seul le prix d’un article vendu peut être tapé.",
        "Écrivez un nombre entier.",
        "Un taux ne dépasse pas 100 %.",
    ):
        assert said in words(answer), said
    assert 'value="beaucoup"' in answer.text
    assert 'value="Sirops"' in answer.text


async def test_two_who_change_a_product_do_not_overwrite_each_other(network: Network) -> None:
    marie, eau = await network.person("marie"), network.product("raffinerie", "Eau")
    page = f"{HERE}/{network.venues['raffinerie'].id}/{eau.id}"
    mine = form_to(await look(marie, page), page)
    filled = {**BEER, "name_fr": "Eau", "kind": "goods", "place": "1", "colour": "#5b9bd5"}
    del filled["price.RAF"]
    led_to(await send(marie, mine, **filled, **{"price.RAF": "1,10"}))
    late = await send(marie, mine, **filled, **{"price.RAF": "1,30"})
    assert late.status_code == 422
    assert "Quelqu’un d’autre a modifié ce produit" in words(late)
    (venue,) = (await network.get("marie", "/venues")).json()
    assert {it["id"]: it["prices"] for it in venue["products"]}[str(eau.id)] == {"RAF": 110}


async def test_another_venue_s_products_are_not_theirs(network: Network) -> None:
    yann = await network.person("yann")
    at = f"{HERE}/{network.venues['raffinerie'].id}"
    for path in (f"{HERE}?venue={network.venues['raffinerie'].id}", f"{at}/new"):
        assert (await look(yann, path)).status_code == 403
