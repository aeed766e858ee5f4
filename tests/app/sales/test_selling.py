"""A sale while the card is in the hand: booked once, or refused in the user's words with nothing taken."""

from __future__ import annotations

import base64
from typing import Any
from uuid import uuid4

import pytest

from app.rules.ids import uuid7
from app.terminals.service import quarantine
from app.venues.service import set_price
from app.wire import Sale, Tender
from tests.support.network import UNKNOWN_UID, Network, both, problem

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


@both
async def test_a_sale_takes_from_the_card_and_adds_to_the_venue_s_claim(network: Network) -> None:
    await network.top_up("awa", 2000)
    bar = await network.terminal("raffinerie")
    sale = bar.sale("awa", {"Demi": 2, "Eau": 1})
    answer = await bar.sell(sale)
    assert answer.status_code == 201
    assert answer.json() == {"id": str(sale.id), "status": "booked", "booked": 2, "balances": {"RAF": 1200}}
    assert await network.holds("awa") == {"RAF": 1200, "TEMPS": 0}
    assert await network.claims("raffinerie") == {"RAF": 800}


@both
async def test_hours_pay_where_they_are_accepted(network: Network) -> None:
    await network.shift("awa", 90)
    bar = await network.terminal("raffinerie")
    answer = await bar.sell("awa", {"Demi": 2}, pay="TEMPS")
    assert (answer.status_code, answer.json()["balances"]) == (201, {"TEMPS": 30})
    assert await network.claims("raffinerie") == {"TEMPS": 60}


@both
async def test_a_sale_sent_again_is_answered_as_the_first_time_and_booked_once(network: Network) -> None:
    await network.top_up("awa", 1000)
    bar = await network.terminal("raffinerie")
    sale = bar.sale("awa", {"Eau": 1})
    first = await bar.sell(sale)
    await bar.sell("awa", {"Eau": 3})
    again = await bar.sell(sale)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert await network.holds("awa") == {"RAF": 600, "TEMPS": 0}


class TestRefusals:
    """Each is told in the user's words; none is remembered but those on the merits, and nothing is taken."""

    async def test_an_unknown_card(self, network: Network) -> None:
        bar = await network.terminal("raffinerie")
        assert problem(await bar.sell(UNKNOWN_UID, {"Demi": 1})) == (404, "card-unknown")
        assert await network.claims("raffinerie") == {}

    async def test_a_blocked_card(self, network: Network) -> None:
        await network.top_up("awa", 1000)
        await network.block("awa")
        bar = await network.terminal("raffinerie")
        sale = bar.sale("awa", {"Demi": 1})
        assert problem(await bar.sell(sale)) == (403, "card-blocked")
        assert await network.holds("awa") == {"RAF": 1000, "TEMPS": 0}
        await network.block("awa", "active")
        assert (await bar.sell(sale)).status_code == 201, "a block is not remembered under the sale's id"

    @both
    async def test_not_enough_on_the_card(self, network: Network) -> None:
        await network.top_up("awa", 349)
        bar = await network.terminal("raffinerie")
        sale = bar.sale("awa", {"Demi": 1})
        assert problem(await bar.sell(sale)) == (402, "insufficient-funds")
        assert await network.holds("awa") == {"RAF": 349, "TEMPS": 0}
        await network.top_up("awa", 1)
        assert problem(await bar.sell(sale)) == (402, "insufficient-funds"), "remembered under this id"
        assert (await bar.sell("awa", {"Demi": 1})).status_code == 201

    async def test_a_card_that_never_held_anything(self, network: Network) -> None:
        bar = await network.terminal("raffinerie")
        assert problem(await bar.sell("basile", {"Demi": 1}, pay="TEMPS")) == (402, "insufficient-funds")

    async def test_a_currency_that_this_venue_does_not_accept(self, network: Network) -> None:
        await network.shift("awa", 60)
        till = await network.terminal("canal")
        sale = till.sale("awa", {"Café": 1}, pay="TEMPS", prices={"Café": 10})
        assert problem(await till.sell(sale)) == (422, "currency-not-accepted")
        assert await network.holds("awa") == {"RAF": 0, "TEMPS": 60}

    async def test_a_currency_that_nobody_knows(self, network: Network) -> None:
        bar = await network.terminal("raffinerie")
        sale = bar.sale("awa", {"Demi": 1}, pay="GALETS", prices={"Demi": 10})
        assert problem(await bar.sell(sale)) == (422, "currency-not-accepted")

    async def test_a_price_that_changed_meanwhile_comes_with_the_new_one(self, network: Network) -> None:
        await network.top_up("awa", 1000)
        bar = await network.terminal("raffinerie")
        beer = network.product("raffinerie", "Demi")
        answer = await bar.sell("awa", {"Demi": 1, "Eau": 1}, prices={"Demi": 300})
        assert problem(answer) == (409, "price-changed")
        assert answer.json()["prices"] == {str(beer.id): {"RAF": 350, "TEMPS": 30}}
        assert "Demi" in answer.json()["detail"]
        assert "Eau" not in answer.json()["detail"]
        assert await network.holds("awa") == {"RAF": 1000, "TEMPS": 0}

    async def test_a_product_of_another_venue(self, network: Network) -> None:
        await network.top_up("awa", 1000)
        bar, till = await network.terminal("raffinerie"), await network.terminal("canal")
        assert problem(await bar.sell(till.sale("awa", {"Café": 1}))) == (409, "price-changed")

    async def test_an_id_that_was_used_for_something_else(self, network: Network) -> None:
        await network.top_up("awa", 1000)
        bar = await network.terminal("raffinerie")
        sale = bar.sale("awa", {"Eau": 1})
        await bar.sell(sale)
        other = bar.sale("awa", {"Eau": 2}, id_=sale.id)
        assert problem(await bar.sell(other)) == (422, "idempotency-key-reused")
        assert await network.holds("awa") == {"RAF": 900, "TEMPS": 0}

    async def test_the_same_sale_from_another_terminal_is_something_else(self, network: Network) -> None:
        await network.top_up("awa", 1000)
        bar, terrace = await network.terminal("raffinerie"), await network.terminal("raffinerie", "Terrasse")
        sale = bar.sale("awa", {"Eau": 1})
        await bar.sell(sale)
        assert problem(await terrace.sell(sale)) == (422, "idempotency-key-reused")

    async def test_an_idempotency_key_that_is_not_the_sale_s_id(self, network: Network) -> None:
        bar = await network.terminal("raffinerie")
        body = bar.sale("awa", {"Eau": 1}).model_dump(mode="json")
        for key, name in ((str(uuid4()), "invalid"), ("not-a-uuid", "invalid")):
            headers = {**bar.headers, "Idempotency-Key": key}
            assert problem(await network.client.post("/api/v1/sales", json=body, headers=headers)) == (422, name)


class TestBookedBefore:
    """Prices, cards and venues change; a sale that was booked before that is told again."""

    @both
    async def test_after_the_price_changed(self, network: Network) -> None:
        await network.top_up("awa", 1000)
        bar = await network.terminal("raffinerie")
        sale = bar.sale("awa", {"Demi": 1})
        first = await bar.sell(sale)
        async with network.engine.begin() as connection:
            await set_price(connection, network.product("raffinerie", "Demi").id, "RAF", 400)
        again = await bar.sell(sale)
        assert (again.status_code, again.json()) == (200, first.json())
        assert problem(await bar.sell(bar.sale("awa", {"Demi": 1}))) == (409, "price-changed")
        assert await network.holds("awa") == {"RAF": 650, "TEMPS": 0}

    async def test_after_the_card_was_blocked(self, network: Network) -> None:
        await network.top_up("awa", 1000)
        bar = await network.terminal("raffinerie")
        sale = bar.sale("awa", {"Demi": 1})
        first = await bar.sell(sale)
        await network.block("awa")
        again = await bar.sell(sale)
        assert (again.status_code, again.json()) == (200, first.json())

    async def test_other_content_under_its_id_is_not_told_as_that_sale(self, network: Network) -> None:
        await network.top_up("awa", 1000)
        bar = await network.terminal("raffinerie")
        sale = bar.sale("awa", {"Demi": 1})
        await bar.sell(sale)
        other = bar.sale("awa", {"Demi": 1}, id_=sale.id, prices={"Demi": 300})
        assert problem(await bar.sell(other)) == (409, "price-changed")

    async def test_after_it_was_delivered_by_sync_with_an_unknown_card(self, network: Network) -> None:
        bar = await network.terminal("raffinerie")
        row = bar.sale_row(UNKNOWN_UID, {"Demi": 1})
        await bar.deliver(row)
        late = await bar.sell(row.sale)
        assert (late.status_code, late.json()["balances"]) == (200, {})


class TestWhoMaySell:
    async def test_a_revoked_terminal_may_not(self, network: Network) -> None:
        await network.top_up("awa", 1000)
        bar = await network.terminal("raffinerie")
        assert (await network.post("marie", f"/terminals/{bar.id}/revoke")).status_code == 204
        assert problem(await bar.sell("awa", {"Eau": 1})) == (401, "terminal-revoked")
        assert await network.holds("awa") == {"RAF": 1000, "TEMPS": 0}

    async def test_a_quarantined_terminal_may_not(self, network: Network) -> None:
        await network.top_up("awa", 1000)
        bar = await network.terminal("raffinerie")
        async with network.engine.begin() as connection:
            await quarantine(connection, bar.id)
        assert problem(await bar.sell("awa", {"Eau": 1})) == (403, "quarantined")

    async def test_a_token_of_an_old_epoch_does_not_open(self, network: Network) -> None:
        bar = await network.terminal("raffinerie")
        body = {"name": "Bar", "terminal": str(bar.id)}
        code = (await network.post("marie", f"/venues/{bar.venue.id}/pairing-codes", body)).json()["code"]
        again = await network.pair(code, bar.key)
        assert (again.id, again.epoch) == (bar.id, 2)
        assert problem(await bar.sell("awa", {"Eau": 1})) == (401, "terminal-revoked")
        assert problem(await again.sell("awa", {"Eau": 1})) == (402, "insufficient-funds")

    async def test_a_token_of_somebody_else_s_making_does_not_open(self, network: Network) -> None:
        bar = await network.terminal("raffinerie")
        bar.token = "ct1_" + base64.urlsafe_b64encode(bytes(60)).decode()
        assert problem(await bar.sell("awa", {"Eau": 1})) == (401, "token-invalid")


class TestBodies:
    """What is no sale is told so, and books nothing."""

    async def test_a_field_that_makes_no_sense_is_named(self, network: Network) -> None:
        bar = await network.terminal("raffinerie")
        good = bar.sale("awa", {"Eau": 1}).model_dump(mode="json")
        change: dict[str, Any]
        for change in (
            {"id": "17"},
            {"card": "04a0000000a001"},
            {"card": "04A0"},
            {"lines": []},
            {"tenders": [17]},
            {"occurred_at_us": -1},
            {"occurred_at_us": 2**70},
            {"occurred_at_us": 1.5},
            {"occurred_at_us": "now"},
            {"tip": 100},
        ):
            answer = await network.client.post("/api/v1/sales", json={**good, **change}, headers=bar.headers)
            assert problem(answer) == (422, "invalid"), change
            assert {error["field"].split(".")[0] for error in answer.json()["errors"]} == set(change)

    async def test_a_line_out_of_bounds(self, network: Network) -> None:
        bar = await network.terminal("raffinerie")
        good = bar.sale("awa", {"Eau": 1}).model_dump(mode="json")
        for change in (
            {"quantity": 0},
            {"quantity": 1000},
            {"quantity": True},
            {"unit_price": -1},
            {"unit_price": 10**9 + 1},
        ):
            body = {**good, "lines": [{**good["lines"][0], **change}]}
            answer = await network.client.post("/api/v1/sales", json=body, headers=bar.headers)
            assert problem(answer) == (422, "invalid"), change

    async def test_tenders_that_do_not_pay_the_lines(self, network: Network) -> None:
        await network.top_up("awa", 1000)
        bar = await network.terminal("raffinerie")
        good = bar.sale("awa", {"Eau": 2})
        for tenders in (
            [Tender(currency="RAF", amount=199)],
            [Tender(currency="RAF", amount=100), Tender(currency="RAF", amount=100)],
            [Tender(currency="RAF", amount=200), Tender(currency="TEMPS", amount=1)],
        ):
            body = {**good.model_dump(mode="json"), "tenders": [it.model_dump() for it in tenders]}
            answer = await network.client.post("/api/v1/sales", json=body, headers=bar.headers)
            assert problem(answer) == (422, "invalid")
        assert await network.holds("awa") == {"RAF": 1000, "TEMPS": 0}

    async def test_a_body_that_is_no_json_object(self, network: Network) -> None:
        bar = await network.terminal("raffinerie")
        headers = {**bar.headers, "Content-Type": "application/json"}
        for body, expected in (
            (b"", (400, "malformed-json")),
            (b"{", (400, "malformed-json")),
            (b"\xff\xfe", (400, "malformed-json")),
            (b"[" * 100_000, (400, "malformed-json")),
            (b'{"id": ' + b"9" * 5000 + b"}", (400, "malformed-json")),
            (b"[]", (422, "invalid")),
            (b"null", (422, "invalid")),
            (b'{"occurred_at_us": 1e999}', (422, "invalid")),
            (b'{"occurred_at_us": NaN}', (422, "invalid")),
        ):
            answer = await network.client.post("/api/v1/sales", content=body, headers=headers)
            assert problem(answer) == expected, body[:40]

    async def test_a_body_that_is_too_large(self, network: Network) -> None:
        bar = await network.terminal("raffinerie")
        headers = {**bar.headers, "Content-Type": "application/json"}
        body = b'{"id": "' + b"a" * network.settings.body_limit_bytes + b'"}'
        answer = await network.client.post("/api/v1/sales", content=body, headers=headers)
        assert problem(answer) == (413, "body-too-large")

    async def test_the_largest_basket_is_sold(self, network: Network) -> None:
        await network.top_up("awa", 100 * 999 * 200)
        bar = await network.terminal("raffinerie")
        one = bar.sale("awa", {"Eau": 999})
        lines, amount = one.lines * 200, 999 * 100 * 200
        sale = Sale(**{**dict(one), "lines": lines, "tenders": (Tender(currency="RAF", amount=amount),)})
        assert (await bar.sell(sale)).json()["balances"] == {"RAF": 0}

    async def test_a_sale_that_happened_next_year_counts_today_and_is_flagged(self, network: Network) -> None:
        await network.top_up("awa", 1000)
        bar = await network.terminal("raffinerie")
        sale = bar.sale("awa", {"Eau": 1}, id_=uuid7(), at_us=7_258_118_400_000_000)
        assert (await bar.sell(sale)).status_code == 201
        (booked,) = (await network.ledger.booked([sale.id])).values()
        assert booked.occurred_at_us == sale.occurred_at_us
