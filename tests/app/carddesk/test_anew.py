"""Which cards are to be written anew, and which are not."""

from __future__ import annotations

import csv
import io

import pytest
import sqlalchemy as sa

from app.cards import lifecycle
from app.keyring import service, writing
from app.keyring.tables import card_key_writing
from app.platform.clock import now_us
from tests.support.network import Network
from tests.support.pages import look, words

pytestmark = pytest.mark.anyio

HERE = "/admin/cards/anew"
DAY_US = 86_400 * 1_000_000


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


async def written(network: Network, card: str, key_set: str) -> None:
    """As the desk does."""
    async with network.engine.begin() as connection:
        it = network.cards[card]
        begun = await writing.begin(connection, network.context.keys.token, it.id, bytes.fromhex(it.uid), key_set)
        await writing.done(connection, it.id, begun.version)


async def test_cards_whose_keys_are_open_or_end_soon(network: Network) -> None:
    now, sana = now_us(), await network.person("sana")
    assert "Aucune" in words(await look(sana, HERE))
    async with network.engine.begin() as connection:
        for name, until_us in (("Soon", now + 10 * DAY_US), ("Later", now + 90 * DAY_US), ("Ever", None)):
            await service.make_set(connection, network.context.keys.token, name, until_us=until_us)
    for card, name in (("awa", "Soon"), ("basile", "Later"), ("camille", "Ever")):
        await written(network, card, name)
    said = words(await look(sana, HERE))
    assert [f"Carte de {it}" in said for it in ("awa", "basile", "camille")] == [True, False, False]
    assert "Le jeu se termine" in said

    lost = await network.terminal("raffinerie")
    await network.client.get("/api/v1/terminals/card-keys", headers=lost.headers)
    await written(network, "basile", "Later")
    assert (await network.post("marie", f"/terminals/{lost.id}/revoke", {"lost": True})).status_code == 204
    answer = await look(sana, f"{HERE}/cards.csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert [(row[0], row[2], row[5]) for row in rows[1:]] == [
        ("Carte de awa", "Soon", "Oui"),
        ("Carte de camille", "Ever", "Oui"),
    ], "Basile's was written since"

    async with network.engine.begin() as connection:
        await lifecycle.retire(connection, "test", network.cards["camille"].id)
    said = words(await look(sana, HERE))
    assert "Carte de camille" not in said, "what is out of use is not called for"
    assert "Clés ouvertes 1 Jeu qui se termine 0" in said


async def test_a_card_that_was_taken_away_too_soon_is_told_until_it_is_finished(network: Network) -> None:
    sana, it = await network.person("sana"), network.cards["awa"]
    token, uid = network.context.keys.token, bytes.fromhex(it.uid)
    async with network.engine.begin() as connection:
        await service.make_set(connection, token, "2027")
        begun = await writing.begin(connection, token, it.id, uid, "2027")
    assert "Carte de awa" not in words(await look(sana, HERE)), "it may be lying at the desk"
    async with network.engine.begin() as connection:
        await connection.execute(sa.update(card_key_writing).values(since_us=now_us() - 3600 * 1_000_000))
    said = words(await look(sana, HERE))
    assert "À moitié écrites" in said
    assert "Carte de awa" in said
    async with network.engine.begin() as connection:
        assert [(half.label, half.key_set) for half in await writing.half_written(connection, now_us())] == [
            ("Carte de awa", "2027")
        ]
        await writing.done(connection, it.id, begun.version)
    assert "Carte de awa" not in words(await look(sana, HERE))
