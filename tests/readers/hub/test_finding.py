"""Hubs are found by mDNS over real sockets on the loopback interface; strangers' announcements lead nowhere."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from ipaddress import IPv4Interface
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from zeroconf import IPVersion
from zeroconf.asyncio import AsyncZeroconf

from readers.hub import Neighbourhood, finding
from readers.hub.finding import CANDIDATES_MAX, TYPE, announcement
from readers.running import beside, hub
from tests.readers.hub.test_site import Member, members, until
from tests.readers.journal.rows import CARD, intent, sale_row

LO = "127.0.0.1"
HERE = frozenset({IPv4Interface(f"{LO}/8")})


@contextlib.asynccontextmanager
async def announced(device: UUID, port: int) -> AsyncIterator[None]:
    """By anybody on the network, for any device."""
    mdns = AsyncZeroconf(interfaces=[LO], ip_version=IPVersion.V4Only)
    info = announcement(device, LO, port, HERE)
    info.name = info.server = f"stranger-{port}.{TYPE}"
    try:
        await mdns.async_register_service(info)
        yield
    finally:
        await mdns.async_close()


@contextlib.asynccontextmanager
async def looking(member: Member, listening: tuple[str, int] | None = None) -> AsyncIterator[Neighbourhood]:
    found = Neighbourhood(member.site, listening, interfaces=[LO])
    async with beside(member.site.run()), beside(found.run()):
        yield found


async def test_a_hub_is_found_whatever_strangers_announce(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is asked of a server, and no address was typed. Somebody else answers for a device of another network,
    and for the hub itself, at a port that takes connections and says nothing."""
    monkeypatch.setattr(finding, "GIVE_UP_S", 0.05)
    async with members(tmp_path, 2) as (one, other), contextlib.AsyncExitStack() as held:
        knocked: list[bytes] = []

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            knocked.append(await reader.read(4096))
            writer.close()

        trap = await held.enter_async_context(await asyncio.start_server(silent, LO, 0))
        port = trap.sockets[0].getsockname()[1]
        await held.enter_async_context(announced(one.site.device, port))
        await held.enter_async_context(looking(other))
        await until(lambda: knocked)
        # The name of a device was of no use: nothing came but the question who is there.
        assert all(it.startswith(b"GET /site/1 ") and str(other.site.device).encode() not in it for it in knocked)
        assert not other.site.around.devices
        listening = await held.enter_async_context(hub(one.site, (LO, 0)))
        await held.enter_async_context(looking(one, listening))
        await until(lambda: other.site.around.devices == {one.site.device})
        await other.journal.append(intent(), sale_row(450))
        await until(lambda: one.got)
        assert [entry.taken for entry in one.got] == [{CARD: {"RAF": 450}}]


async def test_only_devices_of_ours_beside_us_are_knocked_at_and_never_many(tmp_path: Path) -> None:
    async with members(tmp_path, 2) as (one, other):
        found = Neighbourhood(one.site, known=["http://127.0.0.7:1/"], interfaces=[LO])
        found._here = HERE
        device = other.site.device
        for address in ("192.0.2.1", "no address", "127.0.0.7"):
            found._offer(device, address, 1)
        assert found._candidates == []
        found._offer(device, LO, 1)
        for _ in range(2 * CANDIDATES_MAX):
            found._offer(uuid4(), LO, 2)
        assert len(found._candidates) == CANDIDATES_MAX
        assert (device, f"http://{LO}:1") in found._candidates, "strangers make room first"
        assert [it[0] for it in found._open()] == [device]


def test_a_hub_that_listens_everywhere_is_announced_at_each_address_and_never_the_loopback() -> None:
    here = frozenset({IPv4Interface("192.168.1.10/24"), IPv4Interface("10.0.0.3/8")})
    found = announcement(uuid4(), "0.0.0.0", 8765, here)
    assert set(found.parsed_addresses()) == {"192.168.1.10", "10.0.0.3"}
    assert not [it for it in finding.addresses() if it.is_loopback]
    assert finding.addresses([LO]) == HERE
    assert socket.inet_aton(LO) in announcement(uuid4(), LO, 1, here).addresses
