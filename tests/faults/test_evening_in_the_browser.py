"""An evening at the staff screen in a real Chromium, while the server goes away and the disk is full: to the cent.

Real processes: `comptoir serve`, which is stopped, started and killed, and `comptoir terminal` with a real reader's
driver. What staff do is done on the page, and what they read is read there. `COMPTOIR_SHOTS` names a folder for what
it looked like, on a screen of 1024x600 and on a phone.
"""

# Fixtures are named as arguments, which is what they are imported for.
# ruff: noqa: F811
from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from app.ledger.verify import verify
from app.platform.database import create_engine
from app.platform.settings import Settings
from readers.emulator.cards import Ntag213
from readers.emulator.field import UdpCardField
from tests.app.conftest import quickly
from tests.faults.conftest import founded
from tests.faults.test_disk_full import no_room
from tests.readers.agent.processes import ROOT, a_free_port, until
from tests.readers.kiosk.test_browser import CHROMIUM, browser  # noqa: F401
from tests.support.hall import Agent, Forge, Hall, Terminal
from tests.support.network import CARDS, PIN

pytestmark = [
    pytest.mark.browser,
    pytest.mark.faults,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
]

SHOTS = os.environ.get("COMPTOIR_SHOTS")
WIDE, PHONE = {"width": 1024, "height": 600}, {"width": 390, "height": 844}


class Server:
    """`comptoir serve` as a process of its own, always at the same address."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.port = a_free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-c", "from app.cli import main; main()", "serve", "--port", str(self.port)]
        environment = {**os.environ, "COMPTOIR_DATA": str(self.settings.data), "COMPTOIR_BASE_URL": self.url}
        with (self.settings.data / "server.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        until(lambda: httpx.get(f"{self.url}/readyz", trust_env=False).is_success)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Staff:
    """Somebody at the screen, and a customer with a card before it."""

    def __init__(self, page: Page, field: UdpCardField) -> None:
        self.page, self._field = page, field

    def sign_in(self) -> None:
        expect(self.page.locator("#sign-in")).to_be_visible()
        self.page.keyboard.type(PIN)
        self.page.keyboard.press("Enter")
        expect(self.page.locator("#sell")).to_be_visible()

    def ring_up(self, *names: str) -> None:
        for name in names:
            self.page.locator(".tile", has_text=name).first.click()

    def act(self, name: str) -> Locator:
        self.page.locator("#open-more").click()
        return self.page.locator(f".act[data-key=act-{name}]")

    @contextmanager
    def card(self, ends: str = "paid") -> Iterator[Locator]:
        """It is laid down where the screen asks for it, and taken away once the screen has said how it ended."""
        expect(self.state("present_card")).to_be_visible()
        self._field.present(Ntag213(bytes.fromhex(CARDS["awa"])))
        shown = self.state(ends)
        expect(shown).to_be_visible()
        self._field.remove()
        yield shown
        shown.locator(".state-button").click()
        expect(self.page.locator("#state")).to_be_hidden()
        until(lambda: self._field.empty_looks)

    def state(self, phase: str) -> Locator:
        return self.page.locator(f"#state[data-phase={phase}]:visible")

    def sell(self, *names: str, offline: bool = False) -> None:
        self.ring_up(*names)
        self.page.locator("#pay").click()
        with self.card() as paid:
            expect(paid).to_contain_text("Hors ligne, sera envoyé" if offline else "Payé")

    def balance(self, shown: str) -> None:
        self.act("balance").click()
        with self.card() as found:
            expect(found).to_contain_text("Sur la carte")
            assert shown in plain(found)
        self.page.keyboard.press("Escape")

    def shoot(self, name: str) -> None:
        """What it looks like; the same page as it stands, in both sizes."""
        if SHOTS:
            for size, wide in ((PHONE, "phone"), (WIDE, "wide")):
                self.page.set_viewport_size(size)
                self.page.wait_for_timeout(200)
                self.page.screenshot(path=Path(SHOTS) / f"{name}-{wide}.png")


def plain(shown: Locator) -> str:
    return re.sub(r"\s+", " ", shown.inner_text()).strip()


@pytest.fixture
def bar(
    forge: Forge, sqlite_network: Path, secrets: Path, field: UdpCardField, tmp_path: Path
) -> Iterator[tuple[Server, Terminal, Agent]]:
    """A terminal that is paired, and the server that it was paired with as a process."""
    (tmp_path / "server").mkdir()
    settings = founded(tmp_path / "server", sqlite_network, secrets)
    with pytest.MonkeyPatch.context() as patch, quickly(patch):
        hall = Hall(settings, forge)
        terminal = hall.terminal(tmp_path / "terminal")
        with terminal.running(field) as agent:
            agent.delivered()
        hall.close()
    server = Server(settings)
    server.start()
    try:
        with terminal.running(field, url=server.url) as agent:
            agent.delivered()
            yield server, terminal, agent
    finally:
        server.kill()


def test_an_evening_with_a_server_that_goes_away_ends_to_the_cent(
    bar: tuple[Server, Terminal, Agent], field: UdpCardField, browser: Browser
) -> None:
    server, terminal, agent = bar
    page = browser.new_context(viewport=WIDE, locale="fr", timezone_id="Indian/Reunion").new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"http://127.0.0.1:{agent.port}")
    staff = Staff(page, field)
    staff.sign_in()

    # Top-up, balance, a sale, an undone one.
    staff.act("top_up").click()
    page.locator("[data-key=chip-2000]").click()
    page.get_by_role("button", name="Espèces reçues").click()
    with staff.card() as done:
        expect(done).to_contain_text("Rechargée")
    staff.balance("20,00 €")
    staff.sell("Demi", "Eau")  # 4.50
    staff.sell("Demi")
    staff.act("undo_last").click()
    expect(page.locator("#toast")).to_be_visible()
    staff.balance("15,50 €")

    # A tab, opened and paid.
    staff.act("tabs").click()
    page.locator(".tabs-new .other").fill("Awa")
    page.locator(".tabs-new .chip", has_text="10,00").click()
    with staff.card() as done:
        expect(done).to_contain_text("sur la carte")
    staff.ring_up("Eau")
    staff.act("tabs").click()
    row = page.locator(".tab-row")
    row.get_by_role("button", name="Ajouter le panier").click()
    expect(row).to_contain_text("1 Eau")
    staff.shoot("tab")
    row.get_by_role("button", name="Encaisser").click()  # 1.00
    expect(page.locator("#open-tabs")).to_contain_text("Aucune ardoise ouverte")
    page.keyboard.press("Escape")

    # The server is gone while a card is asked for.
    staff.ring_up("Demi")
    page.locator("#pay").click()
    expect(staff.state("present_card")).to_be_visible()
    server.kill()
    with staff.card() as paid:  # 3.50
        expect(paid).to_contain_text("Hors ligne, sera envoyé")
    expect(page.locator("#signs")).to_contain_text("Hors ligne depuis")
    expect(page.locator("#signs")).to_contain_text("1 vente à envoyer")
    top_up = staff.act("top_up")
    expect(top_up).to_be_disabled()
    expect(top_up).to_contain_text("Pas sans réseau")
    staff.shoot("acts-offline")
    page.keyboard.press("Escape")
    staff.sell("Eau", offline=True)
    staff.act("undo_last").click()
    expect(page.locator("#toast")).to_be_visible()
    staff.shoot("offline")

    # There is no room for the journal, and then there is.
    staff.ring_up("Eau")
    with no_room(agent):
        page.locator("#pay").click()
        expect(page.locator("#toast")).to_contain_text("La vente ne peut pas être enregistrée")
        staff.shoot("no-room")
    page.locator("#pay").click()
    with staff.card() as paid:  # 1.00
        expect(paid).to_contain_text("Hors ligne, sera envoyé")
        expect(page.locator("#toast")).to_be_hidden()
        staff.shoot("paid-offline")

    # It is back.
    server.start()
    expect(page.locator("#signs")).not_to_contain_text("Hors ligne", timeout=30_000)
    expect(page.locator("#signs")).not_to_contain_text("à envoyer")
    staff.sell("Eau")  # 1.00
    staff.balance("9,00 €")
    staff.shoot("end")
    assert faults == []
    page.context.close()

    agent.delivered()
    agent.kill()
    server.stop()
    assert _booked(server.settings.data) == {str(sale): amount for sale, amount in terminal.sold().items()}
    assert sorted(terminal.sold().values()) == [100, 100, 100, 350, 450]
    assert _held(server.settings.data) == 900
    with ThreadPoolExecutor(1) as beside:
        # Playwright's own loop runs in this thread.
        beside.submit(lambda: asyncio.run(_proves(server.settings))).result()


def _rows(data: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(data / "comptoir.sqlite3") as db:
        rows = db.execute(query).fetchall()
    db.close()
    return rows


def _booked(data: Path) -> dict[str, int]:
    """Sales that stand: amount by id."""
    query = (
        "SELECT o.id, sum(t.amount) FROM operation o JOIN transfer t ON t.operation_seq = o.seq WHERE o.kind = 'sale'"
        " AND NOT EXISTS (SELECT 1 FROM operation r WHERE r.reverses = o.id) GROUP BY o.id"
    )
    return {_uuid(str(id_)): int(str(amount)) for id_, amount in _rows(data, query)}


def _uuid(text: str) -> str:
    digits = text.replace("-", "")
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _held(data: Path) -> int:
    """What all cards hold, in minor units."""
    ((held,),) = _rows(data, "SELECT sum(balance) FROM account WHERE kind IN ('wallet', 'overdraft', 'held')")
    return int(str(held))


async def _proves(settings: Settings) -> None:
    engine = create_engine(settings.sqlalchemy_url)
    report = await verify(engine)
    await engine.dispose()
    assert report.ok, report.findings
