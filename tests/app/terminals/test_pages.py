"""The fleet's page and its pairing codes."""

from __future__ import annotations

import re
from uuid import UUID

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.support.network import Network, both
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


async def change(network: Network, login: str, id_: UUID, **body: str) -> httpx.Response:
    client = await network.person(login)
    return await client.post(f"{HERE}/{id_}", data=body, headers={"Accept": "text/html"})


async def test_a_terminal_gets_another_name(network: Network) -> None:
    bar = await network.terminal("raffinerie", "Terrasse")
    assert (await change(network, "marie", bar.id, act="rename", name=" Jardin ")).status_code == 303
    assert "Jardin" in words(await look(await network.person("marie"), HERE))
    assert (await change(network, "marie", bar.id, act="rename", name=" ")).status_code == 422
    assert (await change(network, "yann", bar.id, act="rename", name="Mine")).status_code == 403


@both
async def test_a_terminal_that_moves_leaves_its_sales_where_they_were_made(network: Network) -> None:
    await network.top_up("awa", 2000)
    bar = await network.terminal("raffinerie", "Terrasse")
    await bar.deliver(bar.sale_row("awa", {"Eau": 1}))
    unsent = bar.journal.add(bar.sale_row("awa", {"Eau": 2}))
    canal = network.venues["canal"].id
    made = await change(network, "nadia", bar.id, act="move", venue=str(canal))
    assert made.headers["cache-control"] == "no-store"
    (code,) = re.findall(r"<code>([2-9A-Z]{4}-[2-9A-Z]{4})</code>", made.text)
    moved = await network.pair(code, bar.key)
    assert (moved.id, moved.epoch, moved.venue.slug) == (bar.id, 2, "canal")
    assert (await moved.sell("awa", {"Café": 1})).status_code == 201
    # What the terminal itself would have sent first comes in late: it is the old venue's all the same.
    late = await moved.sync(bar.journal.batch(unsent))
    assert (late.json()["acknowledged"], late.json()["quarantined"]) == (2, False)
    assert await network.claims("raffinerie") == {"RAF": 300}
    assert await network.claims("canal") == {"RAF": 160}


async def test_a_move_is_for_those_who_manage_both_venues(network: Network) -> None:
    bar = await network.terminal("raffinerie")
    canal, own = str(network.venues["canal"].id), str(network.venues["raffinerie"].id)
    assert (await change(network, "marie", bar.id, act="move", venue=canal)).status_code == 403
    assert (await change(network, "yann", bar.id, act="move", venue=canal)).status_code == 403
    for venue in ({"venue": own}, {}):
        assert (await change(network, "nadia", bar.id, act="move", **venue)).status_code == 422
    assert "Déplacer" not in words(await look(await network.person("marie"), f"{HERE}/{bar.id}"))


async def test_a_terminal_is_revoked_with_what_it_means_told_before(network: Network) -> None:
    bar = await network.terminal("raffinerie")
    page = words(await look(await network.person("marie"), f"{HERE}/{bar.id}?lang=en"))
    assert "cards stay valid" in page
    assert (await change(network, "marie", bar.id, act="revoke")).status_code == 303
    assert (await bar.snapshot()).status_code == 401
    assert "Revoke this terminal" not in words(await look(await network.person("marie"), f"{HERE}/{bar.id}?lang=en"))
