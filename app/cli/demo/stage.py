"""The demo set up and running: server, terminals with their readers and cables, card tray."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.cards.service import all_cards
from app.cli.demo.cable import Cable
from app.cli.demo.crew import Crew, free_port
from app.cli.demo.network import Account, pairing_code, read_accounts, read_network, seed
from app.cli.setup import migrated, opened
from app.platform.settings import Settings


@dataclass(frozen=True, slots=True)
class Till:
    """One terminal: its venue's slug, the name of its reader on the tray, its staff screen, its cable."""

    venue: str
    reader: str
    url: str
    cable: Cable

    @property
    def process(self) -> str:
        return f"terminal-{self.venue}"


@dataclass(frozen=True, slots=True)
class CardOnTray:
    label: str
    uid: str
    page: str


@dataclass(frozen=True, slots=True)
class Stage:
    network: dict[str, Any]
    server: str
    tray: str
    tills: dict[str, Till]
    cards: tuple[CardOnTray, ...]
    accounts: dict[str, Account]
    crew: Crew

    async def kill(self, name: str) -> None:
        """Kill the server ("server") or a venue's terminal, and wait until it is back."""
        if name == "server":
            self.crew.kill("server")
            await self.crew.answers("server", f"{self.server}/readyz")
        else:
            till = self.tills[name]
            self.crew.kill(till.process)
            await self.crew.answers(till.process, f"{till.url}/healthz")


@asynccontextmanager
async def staged(data: Path, venues: Sequence[str], ports: tuple[int, int, int]) -> AsyncIterator[Stage]:
    """Everything running inside the block, one terminal for each of `venues`. `ports`: preferred ones of server, tray
    and the first terminal's screen (0: any). Raises NotReady."""
    network = read_network()
    server_port, tray_port, first_port = (free_port(port) for port in ports)
    base = f"http://127.0.0.1:{server_port}"
    settings = Settings(data=data, base_url=base, port=server_port, payments="sandbox", mail="sandbox")
    await asyncio.to_thread(migrated, settings)  # Alembic runs an event loop of its own
    crew = Crew(data / "logs")
    readers = {slug: f"{network['venues'][slug]['name']} · bar" for slug in venues}
    udp = {slug: free_port() for slug in venues}
    env = {"COMPTOIR_DATA": str(data), "COMPTOIR_BASE_URL": base, "COMPTOIR_PAYMENTS": "sandbox"}
    env["COMPTOIR_MAIL"] = "sandbox"
    cables = {slug: Cable(server_port) for slug in venues}
    try:
        async with opened(settings) as context:
            # Its keys are made and its database migrated: the server starts while the network is put into it.
            crew.start("server", "serve", "--port", str(server_port), env=env)
            await seed(context, data)
            async with context.reader.connect() as connection:
                known = await all_cards(connection)
            codes = {
                slug: await pairing_code(context, slug, "Bar")
                for slug in venues
                if not (data / f"terminal-{slug}" / "paired").exists()
            }
        cards = tuple(CardOnTray(it.label, it.uid, f"{base}/c/{it.token}") for it in known)
        crew.start("tray", "tray", "--config", str(_tray_file(data, tray_port, readers, udp, cards)))
        await crew.answers("server", f"{base}/readyz")
        tills = {}
        for position, slug in enumerate(venues):
            await cables[slug].plug()
            port = first_port if position == 0 else free_port()
            tills[slug] = Till(slug, readers[slug], f"http://127.0.0.1:{port}", cables[slug])
            folder = data / f"terminal-{slug}"
            crew.start(
                tills[slug].process,
                "terminal",
                "--data",
                str(folder),
                "--server",
                f"http://127.0.0.1:{cables[slug].port}",
                "--reader",
                f"udp:127.0.0.1:{udp[slug]}",
                "--kiosk-port",
                str(port),
                *(("--pair", codes[slug]) if slug in codes else ()),
                env={"COMPTOIR_TERMINAL_SNAPSHOT_S": "2"},
            )
        for till in tills.values():
            await crew.answers(till.process, f"{till.url}/healthz")
            (data / till.process / "paired").touch()
        tray = f"http://127.0.0.1:{tray_port}"
        await crew.answers("tray", f"{tray}/api/state")
        accounts = {it.login: it for it in read_accounts(data)}
        yield Stage(network, base, tray, tills, cards, accounts, crew)
    finally:
        for cable in cables.values():
            await cable.unplug()
        crew.stop()


def _tray_file(
    data: Path, port: int, readers: dict[str, str], udp: dict[str, int], cards: Sequence[CardOnTray]
) -> Path:
    path = data / "tray.json"
    fields = [{"name": name, "udp_port": udp[slug]} for slug, name in readers.items()]
    listed = [{"label": it.label, "uid": it.uid, "url": it.page} for it in cards]
    path.write_text(json.dumps({"port": port, "fields": fields, "cards": listed}, ensure_ascii=False), "utf-8")
    path.chmod(0o600)
    return path
