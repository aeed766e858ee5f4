"""The card desk: the real command at a real reader's driver, the real server, an emulated chip that is laid down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from app.cards.service import card_by_uid
from app.keyring import service, writing
from app.platform.errors import Conflict
from app.rules.chips.keyring import till_key
from readers.desk.command import cards
from readers.emulator import Ntag213, Ntag424, Torn, UdpCardField
from tests.support.network import CARDS, PASSWORD, Network

pytestmark = pytest.mark.anyio
AWA, NEW = bytes.fromhex(CARDS["awa"]), bytes.fromhex("04B1B2B3B4B580")
# The driver has seen for certain that nothing lies there.
EMPTY_LOOKS = 5
PATIENCE_S = 20


@pytest.fixture
def field() -> Iterator[UdpCardField]:
    with UdpCardField() as opened:
        yield opened


async def at_the_desk(network: Network, *arguments: str) -> Result:
    """The command, signed in as the network's admin."""
    await network.person("nadia")
    who = ["--server", network.settings.base_url, "--login", "nadia", "--password", PASSWORD]
    return await asyncio.to_thread(CliRunner().invoke, cards, [arguments[0], *who, *arguments[1:]])


async def test_cards_are_written_one_after_the_other(served_network: Network, field: UdpCardField) -> None:
    network = served_network
    made = await at_the_desk(network, "keys", "--make", "2026")
    assert (made.exit_code, made.stdout) == (0, "2026\n"), made.output
    known, unknown = Ntag424(AWA), Ntag424(NEW)
    for card, number in ((known, "9"), (unknown, "10")):
        field.present(card)
        line = ("write", "--keys", "2026", "--reader", field.path, "--add", "Carte", "--first", number, "--count", "1")
        done = await at_the_desk(network, *line)
        assert done.exit_code == 0, done.output
        field.remove()
        assert "written (version 1)" in done.stdout
    async with network.engine.connect() as connection:
        assert (await card_by_uid(connection, NEW.hex().upper())).label == "Carte 10"
        assert [it.version for it in await service.chips(connection)] == [1, 1]
        (key_set,) = await service.key_sets(connection)
        master = await service.master_of(connection, network.context.keys.token, key_set.id)
    assert known.keys[1] == till_key(master, AWA, "ntag424", 1).key
    assert unknown.keys[1] == till_key(master, NEW, "ntag424", 1).key
    assert (await network.holds("awa"))["RAF"] == 0


async def test_a_card_that_was_taken_away_is_finished_and_others_are_named(
    served_network: Network, field: UdpCardField
) -> None:
    network = served_network
    await at_the_desk(network, "keys", "--make", "2026")
    await at_the_desk(network, "keys", "--make", "Another")
    other, torn = Torn(Ntag213(bytes.fromhex("04C1C2C3C4C580")), 10**6), Torn(Ntag424(AWA), 15)
    line = ("write", "--keys", "2026", "--reader", field.path, "--count", "1")

    desk = asyncio.create_task(at_the_desk(network, *line))

    async def until(holds: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                assert not desk.done(), desk.result().output
                await asyncio.sleep(0.02)

    async def taken_away() -> None:
        field.remove()
        await until(lambda: field.empty_looks >= EMPTY_LOOKS)

    field.present(other)
    await until(lambda: other.commands)
    await taken_away()
    field.present(torn)
    await until(lambda: torn.gone)
    await taken_away()
    async with network.engine.connect() as connection:
        with pytest.raises(Conflict, match="2026 are half written"):
            await writing.begin(connection, network.context.keys.token, network.cards["awa"].id, AWA, "Another")
    torn.put_back()
    field.present(torn)
    done = await asyncio.wait_for(desk, PATIENCE_S)
    assert done.exit_code == 0, done.output
    assert "04C1C2C3C4C580  this chip holds no keys" in done.stderr
    assert "taken away too soon" in done.stderr
    assert f"{CARDS['awa']}  " in done.stdout


async def test_who_may_not_is_told_so(served_network: Network) -> None:
    await served_network.person("lucas")
    who = ["--server", served_network.settings.base_url, "--login", "lucas", "--password", PASSWORD]
    done = await asyncio.to_thread(CliRunner().invoke, cards, ["keys", *who, "--make", "Mine"])
    assert (done.exit_code, done.stdout) == (1, "")
    assert "declines" in done.stderr
    nowhere = ["--server", "http://127.0.0.1:9", "--login", "nadia", "--password", PASSWORD]
    done = await asyncio.to_thread(CliRunner().invoke, cards, ["keys", *nowhere])
    assert done.exit_code == 2
    assert "can't be reached" in done.stderr
