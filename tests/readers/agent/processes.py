"""Whole terminals as processes of their own: the fake server on a real port, the real nfcpy, the real command."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol, Self

import httpx
import uvicorn

from readers.emulator.cards import Card, Ntag213
from tests.readers.sync.fake_server import PIN, FakeServer

ROOT = Path(__file__).parents[3]
# How long these terminals wait for the server: on a busy machine an answer may take longer than a customer would wait.
DEADLINE_MS = 5000


@contextlib.contextmanager
def on_loopback(server: FakeServer) -> Iterator[str]:
    """Serve the fake server; yields its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        web = uvicorn.Server(uvicorn.Config(server.app(), log_config=None, lifespan="off", timeout_graceful_shutdown=0))
        thread = threading.Thread(target=web.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            web.should_exit = True
            thread.join()


def until(condition: Callable[[], Any], timeout_s: float = 30) -> Any:
    """Wait for a condition; a kiosk that does not answer yet is no condition."""
    end = time.monotonic() + timeout_s
    while True:
        with contextlib.suppress(httpx.HTTPError):
            if found := condition():
                return found
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def a_free_port() -> int:
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        port: int = any_port.getsockname()[1]
        return port


class Field(Protocol):
    """Where cards are laid down, and nfcpy's path of the reader there."""

    @property
    def path(self) -> str: ...

    def present(self, card: Card) -> None: ...

    def remove(self) -> None: ...


class AtTheTill:
    """A terminal's pages and its reader, driven as staff and their customers would; `pin` is the staff's."""

    def __init__(self, field: Field, port: int, pin: str) -> None:
        self.field = field
        self.port = port
        self._pin = pin
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=15, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def screen(self) -> dict[str, Any]:
        screen: dict[str, Any] = self._http.get("/api/screen").raise_for_status().json()
        return screen

    def post(self, command: str, **body: object) -> httpx.Response:
        return self._http.post(f"/api/{command}", json=body, headers={"Origin": str(self._http.base_url).rstrip("/")})

    def sign_in(self) -> None:
        self.post("sign-in", pin=self._pin).raise_for_status()

    def ready(self) -> None:
        """Online, its reader found, and somebody signed in."""
        until(lambda: (now := self.screen())["online"] and now["reader"] == "ok")
        self.sign_in()

    def pay(self, product: object, quantity: int = 1) -> str:
        sale: str = (
            self.post("pay", items=[{"product": str(product), "quantity": quantity}], currency="RAF")
            .raise_for_status()
            .json()["sale"]
        )
        return sale

    def tap(self, uid: str, product: object, quantity: int = 1) -> dict[str, Any]:
        """Sell something to a card that is laid on the reader and taken away again, once the one before has left."""
        until(lambda: not self.screen()["card"])
        sale = self.pay(product, quantity)
        self.field.present(Ntag213(bytes.fromhex(uid)))
        try:
            return self.result(sale)
        finally:
            self.field.remove()

    def result(self, sale: str) -> dict[str, Any]:
        """How what `pay` gave this id ended."""
        return until(lambda: (found := self.screen()["result"]) and found["asked"] == sale and found)  # type: ignore[no-any-return]


class TerminalProcess(AtTheTill):
    """`comptoir terminal` on one data folder."""

    def __init__(self, data: Path, server: str, field: Field, code: str | None) -> None:
        super().__init__(field, a_free_port(), PIN)
        self._log = (data.parent / "terminal.log").open("ab")
        environment = {
            **os.environ,
            "COMPTOIR_TERMINAL_DATA": str(data),
            "COMPTOIR_TERMINAL_SERVER": server,
            "COMPTOIR_TERMINAL_READER": field.path,
            "COMPTOIR_TERMINAL_KIOSK_PORT": str(self.port),
            "COMPTOIR_TERMINAL_SNAPSHOT_S": "0.2",
            "COMPTOIR_TERMINAL_DEADLINE_MS": str(DEADLINE_MS),
            **({"COMPTOIR_TERMINAL_PAIR": code} if code else {}),
        }
        command = [sys.executable, "-c", "from readers.cli import terminal; terminal()"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=self._log)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        super().close()
        self._log.close()
