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
from readers.cardauth import type2
from readers.desk.command import cards
from readers.emulator import Desfire, Ntag213, Ntag424, Torn, UdpCardField, UltralightAes
from tests.support.network import CARDS, PASSWORD, Network

pytestmark = pytest.mark.anyio
AWA, NEW = bytes.fromhex(CARDS["awa"]), bytes.fromhex("04B1B2B3B4B580")
# The driver has seen for certain that nothing lies there.
EMPTY_LOOKS = 5
PATIENCE_S = 20
# Selection, version in three parts, signature: as much as a chip hears before the server is asked.
COMMANDS_ASKED = 5
NTAG_SIGNATURE = "8B76052EE42F5567BEB53238B3E3F9950707C0DCC956B5C5EFCFDB709B2D82B3"
DESFIRE_SIGNATURE = (
    "B2769F8DDB575AEA2A680ADCA8FFED4FAB81A1E9908E2B82FE0FABB697BBD9B23835C416970E75768F12902ACA491349E94E6589EAF4F508"
)


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


async def test_chips_get_the_labels_of_a_batch_in_order(served_network: Network, field: UdpCardField) -> None:
    network = served_network
    await at_the_desk(network, "keys", "--make", "2026")
    made = await at_the_desk(
        network, "batches", "--make", "Festival", "--prefix", "Carte", "--first", "001", "--cards", "2"
    )
    assert made.stdout == "Festival  0 of 2 have a chip\n", made.output
    line = ("--batch", "Festival", "--reader", field.path, "--count", "1")
    plain = bytes.fromhex("04C1C2C3C4C580")
    nowhere = await at_the_desk(network, "join", "--batch", "Nowhere")
    assert (nowhere.exit_code, "no batch called Nowhere" in nowhere.stderr) == (1, True)
    for card, command in (
        (Ntag213(plain), ("join", *line)),
        (Ntag424(NEW), ("write", "--keys", "2026", *line)),
    ):
        field.present(card)
        done = await at_the_desk(network, *command)
        assert done.exit_code == 0, done.output
        field.remove()
    async with network.engine.connect() as connection:
        named = [(await card_by_uid(connection, it.hex().upper())).label for it in (plain, NEW)]
    assert named == ["Carte 001", "Carte 002"]


async def test_a_card_that_was_taken_away_is_finished_and_others_are_named(
    served_network: Network, field: UdpCardField
) -> None:
    network = served_network
    await at_the_desk(network, "keys", "--make", "2026")
    await at_the_desk(network, "keys", "--make", "Another")
    other, torn = Torn(Ntag213(bytes.fromhex("04C1C2C3C4C580")), 10**6), Torn(Ntag424(AWA), 15)
    line = ("write", "--keys", "2026", "--reader", field.path, "--count", "1", "--add", "Carte")

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
    assert "04C1C2C3C4C580  this server has no https address" in done.stderr
    assert "taken away too soon" in done.stderr
    assert f"{CARDS['awa']}  " in done.stdout


async def test_each_chip_is_recognised_and_given_what_it_can_hold(
    served_network: Network, field: UdpCardField, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = served_network
    await at_the_desk(network, "keys", "--make", "2026")
    # The address that phones open is https, which the server of a test is not.
    monkeypatch.setattr("app.keyring.api._address", lambda _, card: f"https://comptoir.test/c/{card.token}")
    # Real chips' numbers and signatures (AN11350, and a DESFire EV2 of tests/app/rules/chips).
    signed_tag = Ntag213(bytes.fromhex("04E10CDA993C80"), signature=bytes.fromhex(NTAG_SIGNATURE))
    signed_desfire = Desfire(bytes.fromhex("042A41CAE45380"), signature=bytes.fromhex(DESFIRE_SIGNATURE))
    ultralight = UltralightAes(NEW)
    line = ("write", "--keys", "2026", "--reader", field.path, "--add", "Carte", "--count", "1", "--lock")
    said = []
    for number, card in enumerate((signed_tag, signed_desfire, ultralight, Ntag424(AWA)), 1):
        field.present(card)
        done = await at_the_desk(network, *line, "--first", str(number))
        assert done.exit_code == 0, done.output
        said.append(done.stdout.partition(": ")[2].strip())
        field.remove()
    assert said == [
        "written, locked",
        "written (version 1)",
        "written (version 1), locked, not signed by its maker",
        "written (version 1), locked, not signed by its maker",
    ]
    assert "for ever" in done.stderr
    async with network.engine.connect() as connection:
        assert {it.chip: it.version for it in await service.chips(connection)} == {
            "desfire": 1,
            "ultralight_aes": 1,
            "ntag424": 1,
        }
        (key_set,) = await service.key_sets(connection)
        master = await service.master_of(connection, network.context.keys.token, key_set.id)
        added = await card_by_uid(connection, "04E10CDA993C80")
    assert ultralight.keys[0] == till_key(master, NEW, "ultralight_aes", 1).key
    assert signed_desfire.keys[1] == till_key(master, signed_desfire.uid, "desfire", 1).key
    signed_tag.power_on()
    address = type2.laid_out(f"https://comptoir.test/c/{added.token}")
    assert type2.holds(lambda frame: signed_tag.process(frame) or b"", address)


async def test_another_chip_with_a_card_s_number_is_left_alone(served_network: Network, field: UdpCardField) -> None:
    network = served_network
    await at_the_desk(network, "keys", "--make", "2026")
    async with network.engine.begin() as connection:
        token, card = network.context.keys.token, network.cards["awa"].id
        await writing.done(connection, card, (await writing.begin(connection, token, card, AWA, "2026")).version)
    copy, good = Desfire(AWA), Ntag424(NEW)
    line = ("write", "--keys", "2026", "--reader", field.path, "--count", "1", "--add", "Carte")
    desk, laid = asyncio.create_task(at_the_desk(network, *line)), Torn(copy, 10**6)
    field.present(laid)
    async with asyncio.timeout(PATIENCE_S):
        while laid.commands < COMMANDS_ASKED:
            assert not desk.done(), desk.result().output
            await asyncio.sleep(0.02)
        field.remove()
        while field.empty_looks < EMPTY_LOOKS:
            await asyncio.sleep(0.02)
        field.present(good)
        done = await desk
    assert f"{CARDS['awa']}  Another chip has this card's number: it may be a copy" in done.stderr
    assert "Carte 1: written" in done.stdout
    assert copy.keys == []


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
