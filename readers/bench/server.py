"""A real server to measure against, known only by its commands and its address."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class Ground:
    """A filled data folder: one-time pairing codes, and the PIN of its cashier."""

    data: Path
    codes: tuple[str, ...]
    pin: str


def comptoir(*arguments: str) -> list[str]:
    """The command line of `comptoir` under this Python."""
    return [sys.executable, "-c", "from app.cli import main; main()", *arguments]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def prepare(data: Path, cards: int, products: int) -> Ground:
    """Fill `data` with a network of that size; RuntimeError with what the server's side said."""
    command = comptoir("bench", "ground", "--data", str(data), "--cards", str(cards), "--products", str(products))
    run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if run.returncode:
        raise RuntimeError(f"the network could not be made:\n{run.stderr[-2000:]}")
    told = json.loads(run.stdout)
    return Ground(data, tuple(told["codes"]), told["pin"])


@contextmanager
def serving(ground: Ground, log: Path) -> Iterator[str]:
    """`comptoir serve` on this data, ready; yields its address."""
    port = free_port()
    env = {**os.environ, "COMPTOIR_DATA": str(ground.data), "COMPTOIR_LOG_LEVEL": "warning"}
    env.pop("COMPTOIR_DATABASE_URL", None)
    with log.open("ab") as out:
        process = subprocess.Popen(comptoir("serve", "--port", str(port)), env=env, stdout=out, stderr=out)  # noqa: S603
    try:
        _wait(process, f"http://127.0.0.1:{port}", log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    end = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < end and process.poll() is None:
        try:
            httpx.get(f"{url}/healthz", trust_env=False)
        except httpx.HTTPError:
            time.sleep(0.05)
            continue
        return
    raise RuntimeError(f"the server did not start:\n{log.read_text()[-2000:]}")
