"""The receipt behind a QR code: found by its address alone, and by nobody who does not have it."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.ids import uuid7
from app.rules.receipts import receipt_token, sale_of_token
from app.wire import Rest, Sale, Tender, TerminalSnapshot, VoidRow
from tests.support.network import Network, Terminal, both
from tests.support.pages import ENGLISH, look, words

pytestmark = pytest.mark.anyio


@given(
    key=st.binary(min_size=32, max_size=32), other=st.binary(min_size=32, max_size=32), sale=st.uuids(), bit=st.data()
)
def test_a_token_is_its_sale_s_and_no_other_s(key: bytes, other: bytes, sale: object, bit: st.DataObject) -> None:
    token = receipt_token(key, sale)  # type: ignore[arg-type]
    assert sale_of_token(key, token) == sale
    if other != key:
        assert sale_of_token(other, token) is None
    raw = bytearray(base64.urlsafe_b64decode(token))
    at = bit.draw(st.integers(0, len(raw) * 8 - 1))
    raw[at // 8] ^= 1 << (at % 8)
    assert sale_of_token(key, base64.urlsafe_b64encode(raw).decode()) is None


@given(st.text(max_size=40))
def test_whatever_else_is_no_token(text: str) -> None:
    assert sale_of_token(bytes(32), text) is None


async def address(bar: Terminal, sale: Sale) -> str:
    """As the terminal makes it, from what its snapshot tells."""
    told = TerminalSnapshot.model_validate_json((await bar.snapshot()).content).receipts
    assert told is not None
    assert told.address == "http://server.test/r/"
    return "/r/" + receipt_token(base64.b64decode(told.key), sale.id)


@both
async def test_the_page_tells_lines_means_venue_date_and_number(network: Network) -> None:
    await network.top_up("awa", 2000)
    bar = await network.terminal("raffinerie")
    sale = bar.sale("awa", {"Demi": 2, "Eau": 1})
    assert (await bar.sell(sale)).status_code == 201
    page = await look(network.client, await address(bar, sale))
    assert page.status_code == 200
    assert page.headers["referrer-policy"] == "no-referrer"
    said = words(page)
    assert "Raffinerie" in said
    assert "2 × Demi 7,00 €" in said
    assert "Eau 1,00 €" in said
    assert "Total 8,00 €" in said
    assert "Rafftou carte finissant par A001 8,00 €" in said
    assert "Caisse Bar" in said
    await bar.deliver(bar.sale_row(sale, mode="online"))
    said = words(await network.client.get(await address(bar, sale), headers=ENGLISH))
    assert f"Sale no. {bar.epoch}-1, till Bar" in said
    assert "2 × Demi €7.00" in said
    assert "Paid with Rafftou card ending in A001 €8.00" in said


async def test_a_sale_made_offline_is_on_its_way_until_the_till_is_back(network: Network) -> None:
    await network.top_up("awa", 100)
    bar = await network.terminal("raffinerie")
    sale = bar.sale("awa", {"Demi": 1})
    page = await look(network.client, await address(bar, sale))
    assert page.status_code == 200
    assert "Votre ticket est en route" in words(page)
    await bar.deliver(bar.sale_row(sale))
    said = words(await look(network.client, await address(bar, sale)))
    assert f"Vente nᵒ {bar.epoch}-1" in said
    # One euro from the wallet, 2.50 owed: to whoever paid it is one payment.
    assert "Rafftou carte finissant par A001 3,50 €" in said


async def test_what_staff_took_in_cash_and_a_second_card_are_told(network: Network) -> None:
    await network.top_up("awa", 200)
    await network.top_up("basile", 100)
    bar = await network.terminal("raffinerie")
    whole = bar.sale("awa", {"Demi": 1})
    sale = Sale.model_validate(
        {
            **whole.model_dump(),
            "tenders": (Tender(currency="RAF", amount=200), Tender(currency="RAF", amount=100, card="04A0000000A002")),
            "rest": (Rest(means="cash", covers="RAF", amount=50),),
        }
    )
    await bar.deliver(bar.sale_row(sale))
    said = words(await look(network.client, await address(bar, sale)))
    assert "A001 2,00 €" in said
    assert "A002 1,00 €" in said
    assert "Espèces 0,50 €" in said


async def test_a_sale_taken_back_says_so(network: Network) -> None:
    await network.top_up("awa", 2000)
    bar = await network.terminal("raffinerie")
    sale = bar.sale("awa", {"Demi": 1})
    await bar.deliver(bar.sale_row(sale))
    await bar.deliver(VoidRow(id=uuid7(), sale=sale.id, at_us=sale.occurred_at_us, reason="Erreur"))
    assert "Cette vente a été annulée" in words(await look(network.client, await address(bar, sale)))


async def test_an_address_that_somebody_made_up_is_refused_and_soon_not_even_looked_at(network: Network) -> None:
    answers = [await look(network.client, "/r/" + receipt_token(bytes(32), uuid7())) for _ in range(21)]
    assert answers[0].status_code == 404
    assert "Nous ne connaissons pas ce ticket" in words(answers[0])
    assert answers[-1].status_code == 429


async def test_a_sale_that_no_card_paid_has_its_receipt_once_its_row_has_come(network: Network) -> None:
    bar = await network.terminal("raffinerie")
    whole = bar.sale("awa", {"Demi": 1}).model_dump()
    rest = (Rest(means="cheque", covers="RAF", amount=350),)
    sale = Sale.model_validate({**whole, "card": "", "tenders": (), "rest": rest})
    assert "en route" in words(await look(network.client, await address(bar, sale)))
    await bar.deliver(bar.sale_row(sale))
    said = words(await look(network.client, await address(bar, sale)))
    assert "Demi 3,50 €" in said
    assert "Chèque 3,50 €" in said
    assert f"Vente nᵒ {bar.epoch}-1, caisse Bar" in said


async def test_vat_is_told_where_the_lines_tell_a_rate(network: Network) -> None:
    await network.top_up("awa", 2000)
    bar = await network.terminal("raffinerie")
    whole = bar.sale("awa", {"Demi": 2, "Eau": 1})
    lines = tuple(line.model_copy(update={"vat": 2000 if line.name == "Demi" else 550}) for line in whole.lines)
    sale = whole.model_copy(update={"lines": lines})
    await bar.deliver(bar.sale_row(sale))
    said = words(await look(network.client, await address(bar, sale)))
    # 7.00 holds 1.17 of tax at 20 %, 1.00 holds 0.05 at 5.5 %.
    assert "dont TVA à 5,5 % 0,05 €" in said
    assert "dont TVA à 20 % 1,17 €" in said
