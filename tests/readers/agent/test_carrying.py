"""A whole terminal: the key of a card from the server, and the card that carries by it what it pays without network."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

from app.rules.chips.allowance import short_device
from app.rules.chips.keyring import CardKey
from readers.agent import AgentConfig, agent
from readers.emulator import Ntag424, UdpCardField
from readers.sync import Pace
from readers.terminal.view import BasketItem
from tests.readers.agent.processes import on_loopback
from tests.readers.sync.fake_server import CODE, PIN, FakeServer
from tests.readers.till.test_carrying import KEYS, UID, card, owed

__all__ = ["card"]


async def test_a_card_is_known_by_the_server_s_key_and_carries_what_it_pays(tmp_path: Path, card: Ntag424) -> None:
    server = FakeServer(card_keys={UID: CardKey("ntag424", KEYS[1], 1)})
    with UdpCardField() as field, ExitStack() as line:
        url = line.enter_context(on_loopback(server))
        pace = Pace(snapshot_s=0.1, retry_s_min=0.02, retry_s_max=0.05)
        config = AgentConfig(tmp_path / "data", url, field.path, kiosk_port=0, pair=CODE, pace=pace)
        async with agent(config) as running, asyncio.timeout(20):
            till = running.till

            async def screen(**wanted: object) -> None:
                seen = 0
                while not all(getattr(till.screen(), name) == value for name, value in wanted.items()):
                    seen = await till.wait_change(seen, 0.05)

            await screen(online=True, reader="ok")
            while not (tmp_path / "data" / "card-keys").exists():
                await asyncio.sleep(0.01)
            await till.sign_in(PIN)
            line.close()
            await screen(online=False)
            await till.pay([BasketItem(server.beer, 1)], "RAF")
            field.present(card)
            await screen(phase="paid")
            field.remove()
            await screen(card=False)
            assert owed(card) == [(short_device(running.journal.pairing.device), running.journal.head, 450)]
