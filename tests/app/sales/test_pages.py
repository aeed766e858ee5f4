"""What needs a person."""

from __future__ import annotations

from tests.support.network import UNKNOWN_UID, Network
from tests.support.pages import look, words

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
    assert "3 ventes à voir" in said
    assert "La carte Carte de awa doit une vente faite hors ligne" in said
    assert "Une vente avec la carte bloquée Carte de basile" in said
    assert f"Une vente avec une carte qui n’est pas du réseau : {UNKNOWN_UID}" in said
    assert "Rien ne vous attend" in words(await look(await network.person("yann"), HERE))
