"""Cash top-ups by hand, at the counter's page."""

from __future__ import annotations

import httpx
import pytest

from tests.support.network import CARDS, UNKNOWN_UID, Network
from tests.support.pages import form_to, led_to, look, send, words

HERE = "/admin/counter"


async def found(client: httpx.AsyncClient, card: str) -> httpx.Response:
    return await client.get(HERE, params={"card": card}, headers={"Accept": "text/html", "Accept-Language": "fr"})


async def due(network: Network, slug: str = "raffinerie") -> int:
    rows = await network.ledger.balances(owners=[network.venues[slug].owner], kinds=["due_from"])
    return sum(row.balance for row in rows)


async def test_find_the_card_take_the_cash_credit(network: Network) -> None:
    cashier = await network.person("lucas")
    page = await found(cashier, CARDS["awa"])
    assert "Rafftou 0,00 €" in words(page)
    receipt = await look(cashier, led_to(await send(cashier, form_to(page, HERE), amount="2000")))
    assert "20,00 € crédités sur la carte Carte de awa" in words(receipt)
    assert "Elle porte maintenant 20,00 €" in words(receipt)
    assert (await network.holds("awa"))["RAF"] == await due(network) == 2000


@pytest.mark.parametrize("sent", [2, 5])
async def test_a_form_sent_twice_is_booked_once(network: Network, sent: int) -> None:
    cashier = await network.person("lucas")
    form = form_to(await found(cashier, CARDS["awa"]), HERE)
    answers = {led_to(await send(cashier, form, other="15")) for _ in range(sent)}
    assert len(answers) == 1
    assert (await network.holds("awa"))["RAF"] == 1500


async def test_the_same_form_with_another_amount_is_refused(network: Network) -> None:
    cashier = await network.person("lucas")
    form = form_to(await found(cashier, CARDS["awa"]), HERE)
    await send(cashier, form, other="15")
    assert (await send(cashier, form, other="16")).status_code == 422
    assert (await network.holds("awa"))["RAF"] == 1500


@pytest.mark.parametrize(
    "typed", ["carte de awa", "CARTE DE AWA", "04a0000000a001", "04 A0 00 00 00 A0 01", "04:A0:00:00:00:A0:01"]
)
async def test_a_card_is_found_by_what_is_read_off_it(network: Network, typed: str) -> None:
    page = await found(await network.person("lucas"), typed)
    assert f'value="{network.cards["awa"].uid}"' in page.text


async def test_a_card_is_found_by_scanning_its_code(network: Network) -> None:
    page = await found(await network.person("lucas"), f"http://server.test/c/{network.cards['awa'].token}")
    assert "Carte Carte de awa" in words(page)


async def test_several_cards_of_one_name_are_told_apart_by_their_numbers(network: Network) -> None:
    page = await found(await network.person("lucas"), "carte")
    assert "Laquelle ?" in words(page)
    assert all(uid in page.text for uid in CARDS.values())
    assert "Espèces reçues" not in words(page)


@pytest.mark.parametrize("typed", [UNKNOWN_UID, "cart", "%", "' OR 1=1", "/c/", "/c/x"])
async def test_a_card_that_is_not_found_is_said_so(network: Network, typed: str) -> None:
    page = await found(await network.person("lucas"), typed)
    assert "Aucune carte ne correspond" in words(page)
    assert "Espèces reçues" not in words(page)


@pytest.mark.parametrize(
    ("typed", "said"), [("dix", "Écrivez un montant"), ("0", "De 0,01 €"), ("250,01", "De 0,01 €")]
)
async def test_an_amount_that_cannot_be_stays_to_be_corrected(network: Network, typed: str, said: str) -> None:
    cashier = await network.person("lucas")
    again = await send(cashier, form_to(await found(cashier, CARDS["awa"]), HERE), other=typed)
    assert again.status_code == 422
    assert said in words(again)
    assert f'value="{typed}"' in again.text
    assert (await network.holds("awa"))["RAF"] == 0


async def test_a_blocked_card_is_not_credited(network: Network) -> None:
    cashier = await network.person("lucas")
    form = form_to(await found(cashier, CARDS["awa"]), HERE)
    await network.block("awa")
    assert (await send(cashier, form, other="15")).status_code == 403
    page = await found(cashier, CARDS["awa"])
    assert "Cette carte est bloquée" in words(page)
    assert "Espèces reçues" not in words(page)


async def test_hours_are_not_bought(network: Network) -> None:
    cashier = await network.person("lucas")
    form = form_to(await found(cashier, CARDS["awa"]), HERE)
    assert (await send(cashier, form, other="15", currency="TEMPS")).status_code == 422


async def test_a_cashier_works_at_their_own_venue_only(network: Network) -> None:
    cashier = await network.person("lucas")
    page = await found(cashier, CARDS["awa"])
    assert "Canal" not in words(page)
    elsewhere = await send(cashier, form_to(page, HERE), other="15", venue=str(network.venues["canal"].id))
    assert elsewhere.status_code == 403
    assert (await look(cashier, f"{HERE}?venue={network.venues['canal'].id}")).status_code == 403
    assert await due(network, "canal") == 0


async def test_a_receipt_of_another_venue_is_not_shown(network: Network) -> None:
    admin, cashier = await network.person("nadia"), await network.person("lucas")
    form = form_to(await found(admin, CARDS["awa"]), HERE)
    canal = {"venue": str(network.venues["canal"].id)}
    done = led_to(await send(admin, form, other="15", **canal)).partition("&")[2]
    assert "crédités" in words(await look(admin, f"{HERE}?{done}"))
    assert "crédités" not in words(await look(cashier, f"{HERE}?{done}"))


async def test_the_form_needs_its_session_s_token(network: Network) -> None:
    cashier = await network.person("lucas")
    form = form_to(await found(cashier, CARDS["awa"]), HERE)
    del cashier.headers["X-CSRF-Token"]
    assert (await send(cashier, form, other="15", csrf_token="")).status_code == 403
    assert (await send(cashier, form, other="15")).status_code == 303


async def test_who_has_no_role_has_no_counter(network: Network) -> None:
    assert (await look(await network.person("zoe"), HERE)).status_code == 403
    assert led_to(await look(network.client, HERE)) == f"/sign-in?next={HERE}"
