"""Volunteers' hours by hand."""

from __future__ import annotations

import httpx
import pytest

from tests.support.network import CARDS, Network
from tests.support.pages import form_to, led_to, look, send, words

HERE = "/admin/hours"


async def found(client: httpx.AsyncClient, card: str = "awa") -> httpx.Response:
    return await look(client, f"{HERE}?card={CARDS[card]}")


async def test_hours_are_credited_once_with_their_reason(network: Network) -> None:
    manager = await network.person("marie")
    form = form_to(await found(manager), HERE)
    typed = {"amount": "2 h 30", "reason": " Montage de la scène "}
    addresses = {led_to(await send(manager, form, **typed)) for _ in range(2)}
    (address,) = addresses
    assert "2 h 30 crédités sur la carte Carte de awa" in words(await look(manager, address))
    assert (await network.holds("awa"))["TEMPS"] == 150
    assert "Montage de la scène" in words(await look(network.client, f"/c/{network.cards['awa'].token}"))


@pytest.mark.parametrize(
    ("time", "reason", "said"),
    [
        ("beaucoup", "Plonge", "Écrivez une durée comme 3 h, 2 h 30 ou 45 min."),
        ("0", "Plonge", "Entre une minute et 24 heures."),
        ("25 h", "Plonge", "Entre une minute et 24 heures."),
        ("3 h", "  ", "Dites pour quoi"),
        ("10 h 01", "Plonge", "Une journée compte 10 h au plus, et 0 min sont déjà crédités aujourd’hui."),
    ],
)
async def test_what_cannot_be_stays_to_be_corrected(network: Network, time: str, reason: str, said: str) -> None:
    manager = await network.person("marie")
    again = await send(manager, form_to(await found(manager), HERE), amount=time, reason=reason)
    assert again.status_code == 422
    assert said in words(again)
    assert f'value="{time}"' in again.text
    assert (await network.holds("awa"))["TEMPS"] == 0
    assert (await send(manager, form_to(again, HERE), amount="3 h", reason="Plonge")).status_code == 303


async def test_euros_are_not_given_as_hours(network: Network) -> None:
    manager = await network.person("marie")
    form = form_to(await found(manager), HERE)
    assert (await send(manager, form, amount="3 h", reason="Plonge", currency="RAF")).status_code == 422
    assert await network.holds("awa") == {"RAF": 0, "TEMPS": 0}


async def test_a_venue_without_hours_says_so(network: Network) -> None:
    page = await found(await network.person("yann"))
    assert "Canal ne compte pas d’heures" in words(page)


async def test_hours_are_for_managers_of_the_venue(network: Network) -> None:
    assert (await found(await network.person("lucas"))).status_code == 403
    manager = await network.person("marie")
    form = form_to(await found(manager), HERE)
    elsewhere = str(network.venues["canal"].id)
    assert (await send(manager, form, amount="3 h", reason="Plonge", venue=elsewhere)).status_code == 403
