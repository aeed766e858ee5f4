"""Tabs: set aside, drunk, paid; never more than was set aside without asking, and nothing lost in between."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest

from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.sales.tabs import service, store
from app.wire import Rest, Sale, SaleLine, Tender
from app.wire.tabs import Tab
from tests.support.network import CARDS, Network, Terminal, both, problem

pytestmark = pytest.mark.anyio


class Bar:
    """A terminal's tabs, as its own side of the wire asks for them."""

    def __init__(self, network: Network, terminal: Terminal) -> None:
        self.network, self.terminal = network, terminal

    async def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        return await self.network.client.post(f"/api/v1/tabs{path}", json=body, headers=self.terminal.headers)

    async def open(self, card: str = "awa", amount: int = 1500, id_: UUID | None = None) -> httpx.Response:
        return await self.post(
            "", {"id": str(id_ or uuid7()), "card": CARDS[card], "currency": "RAF", "amount": amount, "name": "Table 4"}
        )

    async def add(self, tab: str, name: str, quantity: int, round_: UUID | None = None) -> httpx.Response:
        product = self.network.product("raffinerie", name)
        item = {"product": str(product.id), "name": name, "quantity": quantity, "unit_price": product.prices["RAF"]}
        return await self.post(f"/{tab}/items", {"id": str(round_ or uuid7()), "items": [item]})

    async def tabs(self) -> dict[str, Any]:
        answer = await self.network.client.get("/api/v1/tabs", headers=self.terminal.headers)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def sale(self, tab: str, **changes: Any) -> Sale:
        """As the terminal makes it from the list."""
        it = next(Tab.model_validate(one) for one in (await self.tabs())["tabs"] if one["id"] == tab)
        lines = tuple(SaleLine(**item.model_dump(), currency=it.currency) for item in it.items)
        whole: dict[str, Any] = {
            "id": uuid7(),
            "card": it.card,
            "lines": lines,
            "tenders": (Tender(currency=it.currency, amount=it.total),),
            "occurred_at_us": now_us(),
        }
        return Sale(**{**whole, **changes})

    async def close(self, tab: str, sale: Sale | None, *, presented: bool = False) -> httpx.Response:
        body = None if sale is None else sale.model_dump(mode="json")
        return await self.post(f"/{tab}/close", {"sale": body, "presented": presented})


async def a_bar(network: Network, name: str = "Bar") -> Bar:
    return Bar(network, await network.terminal("raffinerie", name))


@both
async def test_an_evening_on_a_tab(network: Network) -> None:
    await network.top_up("awa", 2000)
    bar, terrace = await a_bar(network), await a_bar(network, "Terrasse")
    opened = await bar.open(amount=1500)
    assert opened.status_code == 201, opened.text
    tab = opened.json()["id"]
    assert opened.json()["held"] == 1500
    # What is set aside can't be spent elsewhere.
    assert problem(await terrace.terminal.sell("awa", {"Demi": 2}))[1] == "insufficient-funds"
    await bar.add(tab, "Demi", 2)
    await terrace.add(tab, "Eau", 1)
    assert [(it["name"], it["quantity"]) for it in (await bar.tabs())["tabs"][0]["items"]] == [("Demi", 2), ("Eau", 1)]
    sale = await terrace.sale(tab)
    closed = await terrace.close(tab, sale)
    assert closed.status_code == 200, closed.text
    assert closed.json()["reply"]["balances"] == {"RAF": 1200}
    assert await network.holds("awa") == {"RAF": 1200, "TEMPS": 0}
    assert await network.claims("raffinerie") == {"RAF": 800}
    assert (await bar.tabs())["tabs"] == []
    # The rest is free again, and the row that the terminal writes of it books nothing twice.
    assert (await terrace.terminal.sell("awa", {"Demi": 3})).status_code == 201
    await terrace.terminal.deliver(terrace.terminal.sale_row(sale, mode="online"))
    assert await network.claims("raffinerie") == {"RAF": 1850}
    assert await network.exceptions() == []


@both
async def test_more_than_was_set_aside_is_asked_for_and_never_taken_unasked(network: Network) -> None:
    await network.top_up("awa", 1000)
    bar = await a_bar(network)
    tab = (await bar.open(amount=500)).json()["id"]
    await bar.add(tab, "Demi", 2)
    sale = await bar.sale(tab)
    refused = await bar.close(tab, sale)
    assert problem(refused) == (409, "tab-over-hold")
    assert refused.json()["missing"] == 200
    assert await network.holds("awa") == {"RAF": 1000, "TEMPS": 0}
    assert len((await bar.tabs())["tabs"]) == 1
    closed = await bar.close(tab, sale, presented=True)
    assert closed.status_code == 200, closed.text
    assert await network.holds("awa") == {"RAF": 300, "TEMPS": 0}


async def test_what_the_card_does_not_hold_is_refused_and_the_tab_stays(network: Network) -> None:
    await network.top_up("awa", 500)
    await network.top_up("basile", 500)
    bar = await a_bar(network)
    tab = (await bar.open(amount=500)).json()["id"]
    await bar.add(tab, "Demi", 2)
    assert problem(await bar.close(tab, await bar.sale(tab), presented=True))[1] == "insufficient-funds"
    assert await network.holds("awa") == {"RAF": 500, "TEMPS": 0}
    # Staff take the rest in cash, or a second card pays it.
    second = (Tender(currency="RAF", amount=500), Tender(currency="RAF", amount=100, card=CARDS["basile"]))
    rest = (Rest(means="cash", covers="RAF", amount=100),)
    closed = await bar.close(tab, await bar.sale(tab, tenders=second, rest=rest))
    assert closed.status_code == 200, closed.text
    assert (await network.holds("awa"))["RAF"] == 0
    assert (await network.holds("basile"))["RAF"] == 400
    assert await network.claims("raffinerie") == {"RAF": 600}


async def test_everything_asked_twice_is_done_once(network: Network) -> None:
    await network.top_up("awa", 2000)
    bar = await a_bar(network)
    id_, round_ = uuid7(), uuid7()
    tab = (await bar.open(id_=id_)).json()["id"]
    assert (await bar.open(id_=id_)).status_code == 201
    assert problem(await bar.open(id_=id_, amount=1))[1] == "idempotency-key-reused"
    await bar.add(tab, "Demi", 1, round_)
    assert (await bar.add(tab, "Demi", 1, round_)).json()["items"][0]["quantity"] == 1
    sale = await bar.sale(tab)
    first, again = await bar.close(tab, sale), await bar.close(tab, sale)
    assert first.json() == again.json()
    assert await network.holds("awa") == {"RAF": 1650, "TEMPS": 0}
    assert problem(await bar.close(tab, sale.model_copy(update={"id": uuid7()})))[1] == "tab-closed"
    assert problem(await bar.add(tab, "Demi", 1))[1] == "tab-closed"


async def test_what_was_typed_wrongly_is_taken_off_and_an_empty_tab_is_dropped(network: Network) -> None:
    await network.top_up("awa", 2000)
    bar = await a_bar(network)
    tab = (await bar.open(amount=2000)).json()["id"]
    await bar.add(tab, "Demi", 2)
    assert problem(await bar.add(tab, "Demi", -3))[1] == "not-on-tab"
    assert problem(await bar.close(tab, None))[1] == "tab-changed"
    assert (await bar.add(tab, "Demi", -2)).json()["items"] == []
    assert (await bar.close(tab, None)).json() == {"id": tab, "reply": None}
    assert (await bar.tabs())["tabs"] == []
    assert (await bar.terminal.sell("awa", {"Demi": 5})).status_code == 201


async def test_a_round_that_comes_while_the_tab_is_being_paid_is_not_lost(network: Network) -> None:
    await network.top_up("awa", 2000)
    bar = await a_bar(network)
    tab = (await bar.open()).json()["id"]
    await bar.add(tab, "Demi", 1)
    sale = await bar.sale(tab)
    await bar.add(tab, "Eau", 1)
    assert problem(await bar.close(tab, sale))[1] == "tab-changed"
    assert (await bar.close(tab, await bar.sale(tab))).status_code == 200
    assert await network.claims("raffinerie") == {"RAF": 450}


async def test_a_crash_after_the_booking_loses_nothing(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    await network.top_up("awa", 2000)
    bar = await a_bar(network)
    tab = (await bar.open()).json()["id"]
    await bar.add(tab, "Demi", 1)
    sale = await bar.sale(tab)

    async def crash(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(store, "close", crash)
        assert (await bar.close(tab, sale)).status_code == 500
    # It is booked: the tab is closed for everybody, and the terminal learns which row its journal lacks.
    seen = await bar.tabs()
    assert seen["tabs"] == []
    assert seen["paid_here"] == [sale.model_dump(mode="json")]
    assert (await bar.close(tab, sale)).json()["reply"]["balances"] == {"RAF": 1650}
    await bar.terminal.deliver(bar.terminal.sale_row(sale, mode="online"))
    assert (await bar.tabs())["paid_here"] == []
    assert await network.claims("raffinerie") == {"RAF": 350}


async def test_after_its_time_all_of_it_is_asked_from_the_card(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    await network.top_up("awa", 2000)
    bar = await a_bar(network)
    monkeypatch.setattr(service, "HOLD_US", -1)
    tab = (await bar.open()).json()["id"]
    await network.ledger.release_expired()
    await bar.add(tab, "Demi", 1)
    assert (await bar.tabs())["tabs"][0]["held"] == 0
    sale = await bar.sale(tab)
    assert problem(await bar.close(tab, sale))[1] == "tab-over-hold"
    assert (await bar.close(tab, sale, presented=True)).status_code == 200
    assert await network.holds("awa") == {"RAF": 1650, "TEMPS": 0}


async def test_a_card_that_was_blocked_since_pays_what_was_set_aside_and_no_more(network: Network) -> None:
    await network.top_up("awa", 2000)
    bar = await a_bar(network)
    tab = (await bar.open(amount=500)).json()["id"]
    await bar.add(tab, "Demi", 1)
    await network.block("awa")
    assert problem(await bar.open())[1] == "card-blocked"
    assert (await bar.close(tab, await bar.sale(tab))).status_code == 200


@both
async def test_the_house_gives_the_rest_by_somebody_who_may(network: Network) -> None:
    await network.top_up("awa", 2000)
    bar = await a_bar(network)
    tab = (await bar.open(amount=500)).json()["id"]
    await bar.add(tab, "Demi", 2)
    given: dict[str, Any] = {
        "tenders": (Tender(currency="RAF", amount=500),),
        "rest": (Rest(means="house", covers="RAF", amount=200),),
        "reason": "Anniversaire",
    }
    by_cashier = await bar.sale(tab, **given, cashier=await network.hired("lucas"))
    assert problem(await bar.close(tab, by_cashier)) == (403, "forbidden")
    sale = await bar.sale(tab, **given, cashier=await network.hired("marie"))
    assert (await bar.close(tab, sale)).status_code == 200
    await bar.terminal.deliver(bar.terminal.sale_row(sale, mode="online"))
    assert await network.holds("awa") == {"RAF": 1500, "TEMPS": 0}
    assert await network.claims("raffinerie") == {"RAF": 500}
    assert await network.exceptions() == []


async def test_a_tab_is_its_venue_s_own(network: Network) -> None:
    await network.top_up("awa", 2000)
    bar = await a_bar(network)
    tab = (await bar.open()).json()["id"]
    other = Bar(network, await network.terminal("canal"))
    assert (await other.tabs())["tabs"] == []
    assert problem(await other.close(tab, None))[0] == 404


async def test_a_snapshot_does_not_offer_what_is_set_aside(network: Network) -> None:
    await network.top_up("awa", 2000)
    bar = await a_bar(network)
    await bar.open(amount=1500)
    cards = (await bar.terminal.snapshot()).json()["cards"]
    assert next(card["balances"] for card in cards if card["uid"] == CARDS["awa"]) == {"RAF": 500}
