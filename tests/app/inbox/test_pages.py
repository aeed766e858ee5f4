"""What needs a person: in the order in which it presses, with its story and what can be done."""

from __future__ import annotations

import pytest

from tests.support.network import UNKNOWN_UID, Network
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


HERE = "/admin/exceptions"


async def test_nothing_needs_anybody(network: Network) -> None:
    assert "Rien ne vous attend" in words(await look(await network.person("nadia"), HERE))


async def test_each_exception_reads_as_a_sentence(network: Network) -> None:
    await network.top_up("awa", 300)
    await network.block("basile")
    bar = await network.terminal("raffinerie")
    await bar.deliver(
        bar.sale_row("awa", {"Demi": 2}), bar.sale_row("basile", {"Eau": 1}), bar.sale_row(UNKNOWN_UID, {"Eau": 1})
    )
    said = words(await look(await network.person("marie"), HERE))
    assert "À faire · 3" in said
    assert "La carte Carte de awa doit une vente faite hors ligne" in said
    assert "Une vente avec la carte bloquée Carte de basile" in said
    assert f"Une vente avec une carte qui n’est pas du réseau : {UNKNOWN_UID}" in said
    assert "Rien ne vous attend" in words(await look(await network.person("yann"), HERE))


async def test_an_unknown_card_is_taken_found_and_charged(network: Network) -> None:
    """One is at another venue and sees nothing of it, one of the venue takes it, one of the network books it."""
    bar = await network.terminal("raffinerie")
    await bar.deliver(bar.sale_row(UNKNOWN_UID, {"Eau": 1}))
    marie, nadia, yann = [await network.person(it) for it in ("marie", "nadia", "yann")]
    (case,) = [it for it in (await look(marie, HERE)).text.split('"') if it.startswith(f"{HERE}/sale:")]
    assert (await look(yann, case)).status_code == 404
    page = await look(marie, case)
    assert "Ce qui peut être passé en écriture" not in words(page)
    taking = {"act": "take", "seen": "0", "text": ""}
    assert led_to(await send(marie, form_to(page, case), **taking)) == case
    assert "C’est à vous" in words(await look(marie, case))
    assert "À moi · 1" in words(await look(marie, HERE))
    assert (await send(marie, form_to(page, case), **taking)).status_code == 422
    page = await look(nadia, case)
    assert "Marie Montreuil s’en occupe" in words(page)
    link = form_to(page, f"{case}/book/link")
    refused = await send(nadia, link, card="Personne", text="La carte de Basile")
    assert refused.status_code == 422
    assert 'value="La carte de Basile"' in refused.text
    assert (await send(marie, link, card="Carte de basile", text="La sienne")).status_code == 403
    assert led_to(await send(nadia, link, card="Carte de basile", text="La sienne")) == case
    assert led_to(await send(nadia, link, card="Carte de basile", text="La sienne")) == case
    assert await network.holds("basile") == {"RAF": -100, "TEMPS": 0}
    done = words(await look(nadia, case))
    assert "Passé en écriture" in done
    assert "La sienne" in done
    assert "Une vente avec une carte" in words(await look(marie, f"{HERE}?show=done"))
