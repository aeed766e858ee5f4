"""The fleet's page and its pairing codes."""

from __future__ import annotations

import re

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.network import Network
from tests.support.pages import form_to, look, send, words

HERE = "/admin/terminals"


async def test_a_code_is_shown_once_and_pairs(network: Network) -> None:
    marie = await network.person("marie")
    page = await look(marie, HERE)
    assert "Pas encore de terminal" in words(page)
    made = await send(marie, form_to(page, HERE), name=" Bar du fond ")
    assert made.status_code == 200
    assert made.headers["cache-control"] == "no-store"
    (code,) = re.findall(r"<code>([2-9A-Z]{4}-[2-9A-Z]{4})</code>", made.text)
    assert "Code d’appairage pour Bar du fond" in words(made)
    paired = await network.pair(code, Ed25519PrivateKey.generate())
    assert paired.venue.slug == "raffinerie"
    after = await look(marie, HERE)
    assert "Bar du fond Peut vendre Raffinerie" in words(after)
    assert code not in after.text


async def test_a_known_terminal_is_paired_again_under_its_name(network: Network) -> None:
    bar = await network.terminal("raffinerie", "Terrasse")
    marie = await network.person("marie")
    page = await look(marie, HERE)
    body = {"venue": str(bar.venue.id), "terminal": str(bar.id)}
    made = await marie.post(HERE, data=body, headers={"Accept": "text/html"})
    (code,) = re.findall(r"<code>([2-9A-Z]{4}-[2-9A-Z]{4})</code>", made.text)
    again = await network.pair(code, Ed25519PrivateKey.generate())
    assert (again.id, again.epoch) == (bar.id, 2)
    assert "Terrasse" in words(page)


async def test_codes_and_terminals_of_other_venues_are_out_of_reach(network: Network) -> None:
    theirs = await network.terminal("canal", "Comptoir de Yann")
    marie = await network.person("marie")
    assert "Comptoir de Yann" not in words(await look(marie, HERE))
    canal, own = str(network.venues["canal"].id), str(network.venues["raffinerie"].id)
    for body in ({"venue": canal, "name": "x"}, {"venue": canal, "terminal": str(theirs.id)}):
        assert (await marie.post(HERE, data=body, headers={"Accept": "text/html"})).status_code == 403
    stolen = await marie.post(HERE, data={"venue": own, "terminal": str(theirs.id)}, headers={"Accept": "text/html"})
    assert stolen.status_code == 404


async def test_a_terminal_has_a_name(network: Network) -> None:
    marie = await network.person("marie")
    form = form_to(await look(marie, HERE), HERE)
    assert (await send(marie, form, name="  ")).status_code == 422
