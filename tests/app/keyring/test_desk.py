"""What a card desk is told of cards and their chips."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.keyring import service
from app.venues.service import set_network, the_network
from tests.support.network import CARDS, UNKNOWN_UID, Network, problem

pytestmark = pytest.mark.anyio


async def test_where_the_network_wants_signed_chips_no_other_is_written_or_even_added(network: Network) -> None:
    nadia = await network.person("nadia")
    async with network.engine.begin() as connection:
        it = await the_network(connection)
        await set_network(connection, it.name, replace(it.settings, genuine_chips=True))
    path, body = f"/api/v1/card-addresses/{UNKNOWN_UID}", {"label": "Carte 1"}
    for said in ({}, {"genuine": False}):
        assert problem(await nadia.post(path, json={**body, **said})) == (409, "chip-not-genuine")
    assert problem(await nadia.post(path, json={"genuine": True}))[1] == "card-unknown"
    assert (await nadia.post(path, json={**body, "genuine": True})).json() == {"label": "Carte 1", "address": None}
    path, body = f"/api/v1/card-keys/{CARDS['awa']}", {"key_set": "2026"}
    assert problem(await nadia.post(path, json=body)) == (409, "chip-not-genuine")


async def test_each_chip_is_given_its_own_keys_and_stays_what_it_is(network: Network) -> None:
    nadia, path = await network.person("nadia"), f"/api/v1/card-keys/{CARDS['awa']}"
    async with network.engine.begin() as connection:
        await service.make_set(connection, network.context.keys.token, "2026")
    asked = {"key_set": "2026", "chip": "ultralight_aes"}
    told = (await nadia.post(path, json=asked)).json()
    assert (len(told["before"]), len(told["after"]), told["version"]) == (2, 2, 1)
    assert (await nadia.post(path, json=asked)).json() == told, "the same ones until they were written"
    for other in ("ntag424", "desfire"):
        assert problem(await nadia.post(path, json={**asked, "chip": other})) == (409, "chip-differs")
    assert (await nadia.put(path, json={"version": 1})).status_code == 204
    assert problem(await nadia.post(path, json={**asked, "chip": "desfire"})) == (409, "chip-differs")
    again = (await nadia.post(path, json=asked)).json()
    assert (again["before"], again["version"]) == (told["after"], 2)
    desfire = f"/api/v1/card-keys/{CARDS['basile']}"
    assert len((await nadia.post(desfire, json={**asked, "chip": "desfire"})).json()["after"]) == 5
    assert (await nadia.post(desfire, json={**asked, "chip": "desfire_ev1"})).status_code == 422
