"""What a venue sells, changed by programs: the rules of its page."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from app.identity.tables import audit
from tests.support.network import Network, both, problem

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


CIDER: dict[str, Any] = {
    "names": {"fr": "Cidre", "en": "Cider"},
    "category": "Bar",
    "prices": {"RAF": 350},
    "vat": 2000,
}


async def asked(network: Network, method: str, more: str = "", body: Any = None, by: str = "marie") -> httpx.Response:
    path = f"/api/v1/venues/{network.venues['raffinerie'].id}/products{more}"
    return await (await network.person(by)).request(method, path, json=body)


@both
async def test_a_product_comes_changes_is_sold_out_and_goes(network: Network) -> None:
    before = (await asked(network, "GET")).json()
    made = await asked(network, "POST", body={**CIDER, "place": 1})
    assert made.status_code == 201
    cider = made.json()
    assert (cider["prices"], cider["vat"], cider["place"], cider["sold_out"]) == ({"RAF": 350}, 2000, 1, False)
    shown = (await asked(network, "GET", by="lucas")).json()
    assert [it["id"] for it in shown] == [cider["id"], *(it["id"] for it in before)]

    at = f"/{cider['id']}"
    changed = {**CIDER, "names": {"fr": "Cidre brut", "en": "Dry cider"}, "prices": {"TEMPS": 20}, "vat": 550}
    now = (await asked(network, "PUT", at, changed)).json()
    assert now == {**cider, **changed, "names": changed["names"]}
    assert (await asked(network, "PUT", f"{at}/sold-out", {"sold_out": True})).status_code == 204
    bar = await network.terminal("raffinerie")
    (told,) = (it for it in (await bar.snapshot()).json()["products"] if it["id"] == cider["id"])
    assert (told["sold_out"], told["vat"], told["prices"]) == (True, 550, {"TEMPS": 20})

    assert (await asked(network, "DELETE", at)).status_code == 204
    assert problem(await asked(network, "DELETE", at)) == (404, "not-found")
    assert (await asked(network, "GET")).json() == before
    # Sold again under its name, it is the same product.
    again = await asked(network, "POST", body={**CIDER, "names": changed["names"]})
    assert again.json()["id"] == cider["id"]
    async with network.context.engine.connect() as connection:
        said = list((await connection.execute(sa.select(audit.c.action).order_by(audit.c.at_us))).scalars())
    acts = ["product.add", "product.change", "product.sold_out", "product.withdraw", "product.add"]
    assert [it for it in said if it.startswith("product.")] == acts


async def test_what_does_not_fit_is_refused(network: Network) -> None:
    eau = network.product("raffinerie", "Eau")
    for wrong in (
        {"names": {"fr": " Cidre", "en": "Cider"}},
        {"names": {"fr": "Cidre", "en": ""}},
        {"colour": "rouge"},
        {"vat": 10_001},
        {"vat": 5.5},
        {"prices": {"RAF": -1}},
        {"kind": "deposit", "open_price": True},
        {"place": 0},
        {"sold_out": True},
    ):
        assert problem(await asked(network, "POST", body=CIDER | wrong)) == (422, "invalid"), wrong
    strange = CIDER | {"prices": {"GALETS": 100}}
    assert problem(await asked(network, "POST", body=strange)) == (422, "currency-not-accepted")
    taken = CIDER | {"names": {"fr": "Demi", "en": "Half"}}
    assert problem(await asked(network, "POST", body=taken)) == (409, "name-taken")
    assert problem(await asked(network, "PUT", f"/{eau.id}", taken)) == (409, "name-taken")
    other = network.product("canal", "Café").id
    assert problem(await asked(network, "PUT", f"/{other}", CIDER)) == (404, "not-found")
    assert problem(await asked(network, "GET", by="yann")) == (403, "forbidden")
    assert problem(await asked(network, "POST", body=CIDER, by="lucas")) == (403, "forbidden")


@both
async def test_the_database_keeps_no_rate_above_everything(network: Network) -> None:
    eau = network.product("raffinerie", "Eau")
    for rate in (-1, 10_001):
        with pytest.raises(sa.exc.DBAPIError):
            async with network.context.engine.begin() as connection:
                await connection.execute(
                    sa.text("UPDATE product SET vat = :vat WHERE id = :id").bindparams(
                        sa.bindparam("id", eau.id, sa.Uuid()), vat=rate
                    )
                )
