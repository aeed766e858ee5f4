"""What a terminal is given of the cards' keys, over HTTP and to the device that it is wrapped for."""

from __future__ import annotations

import httpx
import pytest
import sqlalchemy as sa

from app.keyring import service, writing
from app.keyring.service import KeySet
from app.keyring.tables import GUARDS, card_key_grant, card_key_set
from app.platform.clock import now_us
from app.platform.errors import Conflict, Invalid
from app.rules.agreement import unwrapped
from app.rules.chips.keyring import CardKey, till_key, unpacked
from app.wire.card_keys import about_keys
from tests.support.network import CARDS, Network, Terminal, both, problem

pytestmark = pytest.mark.anyio
HOUR_US = 3600 * 1_000_000


async def make(network: Network, name: str, venue: str | None = None, **period: int) -> KeySet:
    async with network.engine.begin() as connection:
        at = network.venues[venue].id if venue else None
        return await service.make_set(connection, network.context.keys.token, name, venue=at, **period)


async def write(network: Network, card: str, key_set: KeySet) -> CardKey:
    """As the desk does; the key that tills are given of it."""
    async with network.engine.begin() as connection:
        it = network.cards[card]
        token = network.context.keys.token
        version = (await writing.begin(connection, token, it.id, bytes.fromhex(it.uid), key_set.name)).version
        await writing.done(connection, it.id, version)
        master = await service.master_of(connection, network.context.keys.token, key_set.id)
    return till_key(master, bytes.fromhex(it.uid), "ntag424", version)


async def asked(bar: Terminal, etag: str | None = None) -> httpx.Response:
    headers = bar.headers | ({"If-None-Match": etag} if etag else {})
    return await bar.network.client.get("/api/v1/terminals/card-keys", headers=headers)


def read(bar: Terminal, answer: httpx.Response) -> dict[bytes, tuple[CardKey, int | None]]:
    assert answer.status_code == 200, answer.text
    return unpacked(unwrapped(answer.content, bar.key, about_keys(bar.id, bar.epoch)))


def uid(card: str) -> bytes:
    return bytes.fromhex(CARDS[card])


async def test_a_terminal_is_given_one_key_of_each_card_and_no_master(network: Network) -> None:
    key_set = await make(network, "2026")
    awa, basile = await write(network, "awa", key_set), await write(network, "basile", key_set)
    bar = await network.terminal("raffinerie")
    answer = await asked(bar)
    assert read(bar, answer) == {uid("awa"): (awa, None), uid("basile"): (basile, None)}
    async with network.engine.connect() as connection:
        master = await service.master_of(connection, network.context.keys.token, key_set.id)
        (sealed,) = (await connection.execute(sa.select(card_key_set.c.sealed))).scalars()
        assert (await connection.execute(sa.select(card_key_grant.c.terminal))).scalars().all() == [bar.id]
    assert master not in answer.content
    assert master not in sealed
    same = await asked(bar, answer.headers["ETag"])
    assert (same.status_code, same.content) == (304, b"")
    again = await write(network, "awa", key_set)
    assert again != awa, "keys that are written anew are new ones"
    assert read(bar, await asked(bar, answer.headers["ETag"]))[uid("awa")] == (again, None)


@both
async def test_only_for_its_venue_and_only_while_the_period_lasts(network: Network, database_kind: str) -> None:
    now = now_us()
    mine = await make(network, "Ours", "raffinerie", until_us=now + HOUR_US)
    over = await make(network, "Last year", from_us=now - 2 * HOUR_US, until_us=now - HOUR_US)
    later = await make(network, "Next year", from_us=now + HOUR_US)
    awa = await write(network, "awa", mine)
    await write(network, "basile", over)
    await write(network, "camille", later)
    bar, other = await network.terminal("raffinerie"), await network.terminal("canal")
    assert read(bar, await asked(bar)) == {uid("awa"): (awa, now + HOUR_US)}
    assert read(other, await asked(other)) == {}


@both
async def test_of_a_lost_terminal_the_cards_are_open_until_they_are_written_anew(
    network: Network, database_kind: str
) -> None:
    key_set = await make(network, "2026")
    await write(network, "awa", key_set)
    lost, bar = await network.terminal("raffinerie"), await network.terminal("raffinerie")
    await asked(lost)
    basile = await write(network, "basile", key_set)
    held = await asked(bar)
    assert set(read(bar, held)) == {uid("awa"), uid("basile")}
    assert (await network.post("marie", f"/terminals/{lost.id}/revoke", {"lost": True})).status_code == 204
    assert problem(await asked(lost)) == (401, "terminal-revoked")
    assert read(bar, await asked(bar, held.headers["ETag"])) == {uid("basile"): (basile, None)}, (
        "the lost one never had Basile's"
    )
    async with network.engine.connect() as connection:
        assert [it.label for it in await service.chips(connection, only_open=True)] == [network.cards["awa"].label]
    awa = await write(network, "awa", key_set)
    assert read(bar, await asked(bar))[uid("awa")] == (awa, None)


async def test_one_that_was_only_put_away_opens_no_card(network: Network) -> None:
    key_set = await make(network, "2026")
    await write(network, "awa", key_set)
    old, bar = await network.terminal("raffinerie"), await network.terminal("raffinerie")
    await asked(old)
    assert (await network.post("marie", f"/terminals/{old.id}/revoke")).status_code == 204
    assert set(read(bar, await asked(bar))) == {uid("awa")}
    # That it was stolen all the same is found out later.
    assert (await network.post("marie", f"/terminals/{old.id}/revoke", {"lost": True})).status_code == 204
    assert read(bar, await asked(bar)) == {}


async def test_nobody_but_a_terminal_asks(network: Network) -> None:
    assert problem(await (await network.person("nadia")).get("/api/v1/terminals/card-keys")) == (403, "forbidden")
    box = await network.terminal("raffinerie", "Relais", "hub")
    assert problem(await asked(box)) == (403, "forbidden")


@both
async def test_who_was_given_keys_stays_known(network: Network, database_kind: str) -> None:
    await write(network, "awa", await make(network, "2026"))
    bar = await network.terminal("raffinerie")
    await asked(bar)
    async with network.engine.connect() as connection:
        assert await connection.run_sync(GUARDS.missing) == []
    for statement in ("DELETE FROM card_key_grant", "UPDATE card_key_grant SET at_us = 0"):
        async with network.engine.connect() as connection:
            with pytest.raises(sa.exc.DBAPIError, match="stays known"):
                await connection.execute(sa.text(statement))


async def test_sets_have_names_and_periods_that_make_sense(network: Network) -> None:
    await make(network, "2026")
    with pytest.raises(Conflict):
        await make(network, " 2026 ")
    with pytest.raises(Invalid):
        await make(network, " ")
    with pytest.raises(Invalid):
        await make(network, "Backwards", from_us=10, until_us=10)
