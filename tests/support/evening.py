"""One bar of a running demo, worked by a tireless hand: ring up, hold a card to the reader, look at the light."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from app.cli.demo.stage import Stage, Till
from app.rules.ids import uuid7
from app.wire import SaleRow, read_payload
from readers.journal import Clock
from readers.journal.store import JournalFile

PATIENCE_S = 30.0
LOOK_EVERY_S = 0.01


@dataclass
class Green:
    """A sale whose light turned green on the staff screen. `after_s`: since the card was laid down."""

    sale: UUID
    card: str
    offline: bool
    after_s: float


@dataclass
class Bar:
    """The staff of one till. What goes wrong while processes are killed around them is tried again, as staff would."""

    stage: Stage
    till: Till
    pin: str
    http: httpx.AsyncClient
    green: list[Green] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    broken: int = 0

    async def work(self, is_over: Callable[[], bool], product: str) -> None:
        """Sell one thing after the other, to one card after the other, until it is over."""
        turn = 0
        while not is_over():
            card = self.stage.cards[turn % len(self.stage.cards)]
            turn += 1
            try:
                await self.sell(product, card.uid)
            except (httpx.HTTPError, TimeoutError):
                self.broken += 1
                await self.ready()

    async def sell(self, product: str, uid: str, patience_s: float = 5.0) -> Green | None:
        """Ring up, tap, look. None for a red light. TimeoutError for no light at all, httpx's for no screen."""
        items = [{"product": await self._id(product), "quantity": 1}]
        sale = (await self._command("pay", {"items": items, "currency": "RAF"}))["sale"]
        await self._tray("present", {"field": self.till.reader, "uid": uid, "for_s": None})
        began = time.monotonic()
        try:
            async with asyncio.timeout(patience_s):
                while not self._is_over(screen := await self.screen(), sale):
                    await asyncio.sleep(LOOK_EVERY_S)
        finally:
            await self._tray("remove", {"field": self.till.reader})
        result = screen["result"]
        if result["reason"] is not None:
            self.refused.append(result["reason"])
            found = None
        else:
            took_s = time.monotonic() - began
            found = Green(UUID(result["sale"]), result["card"], result["offline"], took_s)
            self.green.append(found)
        await self._command("dismiss", {})
        return found

    async def ready(self) -> None:
        """Wait until there is a screen with a reader and nothing waiting for a card, and sign in."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                with suppress(httpx.HTTPError):
                    screen = await self.screen()
                    if screen["reader"] == "ok" and screen["catalogue_version"]:
                        if screen["phase"] == "present_card":
                            await self._command("cancel", {})
                        elif screen["phase"] == "ready":
                            return
                        else:
                            await self._command("dismiss", {})
                await asyncio.sleep(0.05)

    async def delivered(self) -> None:
        """Wait until the till is online and the server has its whole journal."""
        await self.ready()
        async with asyncio.timeout(PATIENCE_S):
            while not ((screen := await self.screen())["online"] and screen["waiting"] == 0):
                await asyncio.sleep(0.05)

    async def screen(self) -> dict[str, Any]:
        screen: dict[str, Any] = (await self.http.get(f"{self.till.url}/api/screen")).raise_for_status().json()
        return screen

    @staticmethod
    def _is_over(screen: dict[str, Any], sale: str) -> bool:
        result = screen["result"]
        return screen["phase"] in {"paid", "refused"} and result is not None and result["asked"] == sale

    async def _id(self, product: str) -> str:
        catalogue = (await self.http.get(f"{self.till.url}/api/catalogue")).raise_for_status().json()
        return next(str(it["id"]) for it in catalogue["products"] if it["names"]["fr"] == product)

    async def _command(self, command: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self.http.post(f"{self.till.url}/api/{command}", json=body)
        if answer.status_code == 409 and answer.json()["reason"] == "not_signed_in":
            (await self.http.post(f"{self.till.url}/api/sign-in", json={"pin": self.pin})).raise_for_status()
            answer = await self.http.post(f"{self.till.url}/api/{command}", json=body)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    async def _tray(self, command: str, body: dict[str, Any]) -> None:
        (await self.http.post(f"{self.stage.tray}/api/{command}", json=body)).raise_for_status()


async def top_up_all(stage: Stage, http: httpx.AsyncClient, slug: str, amount: int) -> None:
    """Cash on every card of the demo, at one venue's counter."""
    admin = stage.accounts["admin"]
    opened = await http.post(f"{stage.server}/api/v1/sessions", json={"login": admin.login, "password": admin.password})
    venues = (await http.get(f"{stage.server}/api/v1/venues")).raise_for_status().json()
    venue = next(it["id"] for it in venues if it["slug"] == slug)
    for card in stage.cards:
        headers = {"Idempotency-Key": str(uuid7()), "X-CSRF-Token": opened.json()["csrf"]}
        body = {"card": card.uid, "currency": "RAF", "amount": amount}
        path = f"{stage.server}/api/v1/venues/{venue}/topups"
        (await http.post(path, json=body, headers=headers)).raise_for_status()


async def kill_now_and_then(
    stage: Stage, names: list[str], is_over: Callable[[], bool], chance: random.Random
) -> list[str]:
    """SIGKILL one after the other at random moments, each started again at once; their names.

    "server" or a venue's slug. Three in ten are not waited for: the next kill may meet them starting up.
    """
    killed: list[str] = []
    while not is_over():
        await asyncio.sleep(chance.random() * 1.2)
        killed.append(chance.choice(names))
        if chance.random() < 0.7:
            await stage.kill(killed[-1])
        else:
            stage.crew.kill("server" if killed[-1] == "server" else stage.tills[killed[-1]].process)
    return killed


def signal_server(stage: Stage, number: signal.Signals) -> None:
    os.kill(stage.crew._processes["server"].pid, number)


def journalled(data: Path) -> list[SaleRow]:
    """Every sale in a terminal's journal, once its chain was checked whole. The terminal must be down."""
    file = JournalFile(data / "journal.db", Clock())
    try:
        file.verify()
    finally:
        file.close()
    with sqlite3.connect(data / "journal.db") as db:
        payloads = [row[0] for row in db.execute("SELECT payload FROM rows WHERE kind = 'sale' ORDER BY sequence")]
    db.close()
    return [row for row in map(read_payload, payloads) if isinstance(row, SaleRow)]
