"""A card that holds its key proves itself at a till that the server gave the key to: the real server, the till's own
client and file, the chip's protocol before an emulated chip."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from app.keyring import service, writing
from app.platform.clock import now_us
from app.platform.settings import Settings
from app.rules.chips.allowance import Carried, Owed
from app.terminals.service import make_pairing_code, revoke
from readers.cardauth import NotProven
from readers.cardauth.allowance import carry
from readers.cardauth.encoding import write_ntag424
from readers.cardauth.isodep import IsoDep
from readers.cardauth.proving import level
from readers.emulator import Ntag424
from readers.journal import Clock, Journal
from readers.sync import CardKeys, DeviceKey, Server
from readers.taps import CardSilent
from tests.support.network import BASE, CARDS, Network, network_of, running

pytestmark = pytest.mark.anyio
AWA = bytes.fromhex(CARDS["awa"])
HOUR_US = 3600 * 1_000_000


class Line(httpx.AsyncBaseTransport):
    """To the server, while it is plugged in."""

    def __init__(self, network: Network) -> None:
        self._inner = httpx.ASGITransport(network.app)
        self.plugged = True

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self.plugged:
            raise httpx.ConnectError("unplugged", request=request)
        return await self._inner.handle_async_request(request)


class Till:
    """A paired terminal's folder."""

    def __init__(self, network: Network, folder: Path) -> None:
        self.network, self.folder, self.line = network, folder, Line(network)
        self.file = folder / "card-keys"
        self.key, self.clock = DeviceKey.load_or_make(folder / "device.key"), Clock()
        self.server = Server(BASE, self.key, self.clock, transport=self.line)

    async def begin(self) -> None:
        async with self.network.engine.begin() as connection:
            code = await make_pairing_code(connection, self.network.venues["raffinerie"].id, "Bar")
        self.journal = await Journal.open(self.folder / "journal.db", self.clock)
        await self.journal.pair(await self.server.pair(code, "1"), code)

    def started(self) -> CardKeys:
        keys = CardKeys(self.file, self.key, self.server, self.journal, self.clock)
        keys.start_from_disk()
        return keys


@pytest.fixture
async def network(quick: None, database_url: str, tmp_path: Path) -> AsyncIterator[Network]:
    settings = Settings(data=tmp_path / "data", database_url=database_url, base_url=BASE)
    async with running(settings) as app, network_of(app, settings) as network:
        yield network


@pytest.fixture
async def till(network: Network, tmp_path: Path) -> AsyncIterator[Till]:
    folder = tmp_path / "till"
    folder.mkdir()
    it = Till(network, folder)
    async with it.server:
        await it.begin()
        yield it
        await it.journal.close()


async def written(network: Network, until_us: int | None = None) -> Ntag424:
    """Awa's card as the desk made it: the five keys of an NTAG 424 DNA, each its own."""
    async with network.engine.begin() as connection:
        await service.make_set(connection, network.context.keys.token, "2026", until_us=until_us)
        keys = await writing.begin(connection, network.context.keys.token, network.cards["awa"].id, AWA, "2026")
        await writing.done(connection, network.cards["awa"].id, keys.version)
    card = Ntag424(AWA)
    write_ntag424(IsoDep(field(card)).transceive, keys.before, keys.after, keys.version, None)
    return card


def field(card: Ntag424) -> Callable[[bytes], bytes]:
    card.power_on()

    def exchange(frame: bytes) -> bytes:
        answer = card.process(frame)
        if answer is None:
            raise CardSilent("no answer")
        return answer

    return exchange


async def test_a_card_is_proven_online_offline_and_after_a_start(network: Network, till: Till) -> None:
    card = await written(network)
    keys = till.started()
    assert level(keys.ring, AWA, field(card)) == "C", "nothing is known of it yet"
    await keys.round()
    assert level(keys.ring, AWA, field(card)) == "A"
    # It carries its offline sales from the day that it was written.
    sale = Carried((Owed(b"bar", 1, 7, b"RA", 450),))
    assert carry(keys.ring[AWA], field(card), lambda carried: sale if carried == Carried() else None) == sale
    with pytest.raises(NotProven):
        level(keys.ring, AWA, field(Ntag424(AWA)))
    assert stat.S_IMODE(till.file.stat().st_mode) == 0o600
    assert keys.ring[AWA].key not in till.file.read_bytes()
    till.line.plugged = False
    again = till.started()
    await again.round()
    assert level(again.ring, AWA, field(card)) == "A"


async def test_a_revoked_terminal_keeps_no_keys(network: Network, till: Till) -> None:
    card = await written(network)
    keys = till.started()
    await keys.round()
    async with network.engine.begin() as connection:
        await revoke(connection, till.journal.pairing.device, lost=True)
    await keys.round()
    assert not keys.ring
    assert not till.file.exists()
    assert level(keys.ring, AWA, field(card)) == "C"


async def test_what_is_wiped_when_it_was_told_so_stays_wiped(network: Network, till: Till) -> None:
    await written(network)
    keys = till.started()
    await keys.round()
    keys.heed("behind")
    assert keys.ring
    await till.journal.halt("quarantined")
    keys.heed("quarantined")
    await keys.round()
    assert not keys.ring
    assert not till.file.exists()
    await till.journal.halt(None)
    await keys.round()
    assert AWA in keys.ring


async def test_a_key_ends_with_its_period_without_network_too(
    network: Network, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    until_us = now_us() + HOUR_US
    card = await written(network, until_us)
    keys = till.started()
    await keys.round()
    assert level(keys.ring, AWA, field(card)) == "A"
    till.line.plugged = False
    monkeypatch.setattr(till.clock, "now_us", lambda: until_us)
    assert level(keys.ring, AWA, field(card)) == "C"
    assert (len(keys.ring), list(keys.ring)) == (0, [])


async def test_a_file_that_is_damaged_or_another_device_s_is_not_used(network: Network, till: Till) -> None:
    await written(network)
    keys = till.started()
    await keys.round()
    whole = till.file.read_bytes()
    for damaged in (whole[:-1], whole[:40], b"", b"{}\n", whole[:-1] + bytes([whole[-1] ^ 1])):
        till.file.write_bytes(damaged)
        assert not till.started().ring
        assert not till.file.exists()
    till.file.write_bytes(whole)
    till.key = DeviceKey.load_or_make(till.folder / "another.key")
    assert not till.started().ring


async def test_keys_that_our_server_did_not_sign_are_not_taken(
    network: Network, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    await written(network)
    keys = till.started()
    await keys.round()
    mine = keys.ring[AWA]
    monkeypatch.setattr("readers.sync.card_keys.signed_by", lambda *_: False)
    keys._etag = None
    await keys.round()
    assert keys.ring[AWA] == mine
