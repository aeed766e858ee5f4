"""Whole agents at one site while the server is away: what a card spent at one counts at the others."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.wire import DeviceKind, SnapshotPeer
from readers.agent import AgentConfig, Running, agent
from readers.box import BoxConfig, NotABox, box
from readers.drivers import open_driver
from readers.emulator.cards import Ntag213
from readers.emulator.field import UdpCardField
from readers.journal import Clock, Journal
from readers.sync import Pace
from readers.terminal.view import SiteShown
from tests.readers.agent.processes import a_free_port, on_loopback
from tests.readers.journal.rows import pairing, sale_row
from tests.readers.sync.fake_server import AWA, CODE, PIN, FakeServer


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


LOOPBACK = ("127.0.0.1",)
QUICK = Pace(snapshot_s=0.05, retry_s_min=0.02, retry_s_max=0.05)


def one_sale_a_card() -> FakeServer:
    server = FakeServer()
    server.limits = server.limits.model_copy(update={"cards": {"RAF": {"C": (5000, 8000, 1)}}})
    return server


async def tap(running: Running, field: UdpCardField, server: FakeServer) -> dict[str, Any]:
    """What the screen says after one beer for Awa's card."""
    async with httpx.AsyncClient(
        base_url=running.kiosk_url, headers={"Origin": running.kiosk_url}, trust_env=False
    ) as page:
        (await page.post("/api/sign-in", json={"pin": PIN})).raise_for_status()
        asked = {"items": [{"product": str(server.beer), "quantity": 1}], "currency": "RAF"}
        sale = (await page.post("/api/pay", json=asked)).raise_for_status().json()["sale"]
        field.present(Ntag213(bytes.fromhex(AWA)))
        try:
            async with asyncio.timeout(20):
                while True:
                    result: dict[str, Any] | None = (await page.get("/api/screen")).json()["result"]
                    if result and result["sale"] == sale:
                        return result
                    await asyncio.sleep(0.01)
        finally:
            field.remove()


Cut = list[tuple[Running, UdpCardField, FakeServer]]


@contextlib.asynccontextmanager
async def two_cut_off(
    folder: Path,
    hubs: tuple[str, ...],
    listen: tuple[str, int] | None,
    *,
    boxes: contextlib.AsyncExitStack | None = None,
) -> AsyncIterator[Cut]:
    """Two paired terminals that know each other's keys, and whose servers then went away. With `boxes`, a hub box is
    opened in there that all find by mDNS."""
    servers = [one_sale_a_card() for _ in range(3 if boxes else 2)]
    async with contextlib.AsyncExitStack() as held:
        found: Cut = []
        sites = []
        with contextlib.ExitStack() as lines:
            for number, server in enumerate(servers[:2]):
                field = held.enter_context(UdpCardField())
                config = AgentConfig(
                    data=folder / str(number),
                    server=lines.enter_context(on_loopback(server)),
                    reader=lambda presence, path=field.path: open_driver(path, presence),  # type: ignore[misc]
                    kiosk_port=0,
                    pair=CODE,
                    pace=QUICK,
                    hub_find=boxes is not None,
                    hub_interfaces=LOOPBACK,
                )
                config = replace(config, hub_listen=listen) if number == 0 else replace(config, hubs=hubs)
                found.append((await held.enter_async_context(agent(config)), field, server))
                sites.append(found[-1][0].site)
            if boxes:
                url = lines.enter_context(on_loopback(servers[2]))
                wanted = BoxConfig(folder / "box", url, ("127.0.0.1", 0), CODE, interfaces=LOOPBACK, pace=QUICK)
                sites.append((await boxes.enter_async_context(box(wanted))).site)
            kinds: list[DeviceKind] = ["till", "till", "hub"]
            named = [
                SnapshotPeer(device=it.device, epoch=1, key=it.device_key, kind=kind)
                for it, kind in zip(servers, kinds, strict=False)
            ]
            for server in servers:
                server.peers = tuple(it for it in named if it.device != server.device)
            await until(lambda: all(at.secret(it.device) for at in sites for it in named if it.device != at.device))
            await until(lambda: all(r.till.screen().reader == "ok" for r, _, _ in found))
        await until(lambda: not any(r.till.screen().online for r, _, _ in found))
        yield found


@pytest.mark.parametrize("seller", [0, 1])
async def test_a_card_that_spent_at_one_terminal_has_spent_at_the_other(tmp_path: Path, seller: int) -> None:
    at = ("127.0.0.1", a_free_port())
    async with two_cut_off(tmp_path, (f"http://{at[0]}:{at[1]}",), at) as terminals:
        first, other = terminals[seller], terminals[1 - seller]
        sold = await tap(*first)
        assert (sold["reason"], sold["offline"]) == (None, True)
        await until(other[0].site.entries)
        assert (await tap(*other))["reason"] == "too-many-offline"


async def test_a_box_that_only_is_a_hub_is_found_and_its_loss_is_shown(tmp_path: Path) -> None:
    """The servers are away, and no address was typed anywhere."""
    async with contextlib.AsyncExitStack() as boxes, two_cut_off(tmp_path, (), None, boxes=boxes) as terminals:
        first, other = terminals
        await until(lambda: all(it.till.screen().site == SiteShown(1) for it, _, _ in terminals))
        assert (await tap(*first))["reason"] is None
        await until(other[0].site.entries)
        assert (await tap(*other))["reason"] == "too-many-offline"
        await boxes.aclose()
        await until(lambda: all(it.till.screen().site == SiteShown(0, lost=True) for it, _, _ in terminals))


async def test_a_tills_folder_is_no_boxs(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path / "journal.db", Clock())
    await journal.pair(pairing(), "code")
    await journal.append(sale_row())
    await journal.close()
    with pytest.raises(NotABox):
        async with box(BoxConfig(tmp_path, "http://127.0.0.1:9", ("127.0.0.1", 0), find=False)):
            pass


async def test_without_a_hub_each_terminal_decides_alone(tmp_path: Path) -> None:
    async with two_cut_off(tmp_path, (), None) as terminals:
        for one in terminals:
            assert (await tap(*one))["reason"] is None
        assert not any(running.site.entries() for running, _, _ in terminals)
