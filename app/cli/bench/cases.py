"""The cases, each with its floor measured in the same run. Rates are per second, latencies in milliseconds."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from app.cli.bench import ground
from app.cli.bench.ground import BATCH_ROWS, Ground
from app.cli.demo.crew import free_port
from app.platform.throwaway_postgres import installation

FLOORS = Path(__file__).parent / "floors.sql"
READY_TIMEOUT_S = 40.0


@dataclass(frozen=True, slots=True)
class Row:
    """One figure beside its floor. `cpu_percent`: the load generator's own share of one core."""

    case: str
    workers: int
    clients: int
    rate: float
    floor: float
    ratio: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    refused: int
    floor_is: str
    per_commit: float | None = None
    cpu_percent: float | None = None
    rss_mb: float | None = None

    def document(self) -> dict[str, Any]:
        return {k: round(v, 3) if isinstance(v, float) else v for k, v in asdict(self).items()}


@contextmanager
def server(factory: str, settings: dict[str, str], workers: int, logs: Path) -> Iterator[tuple[int, int]]:
    """(port, process id) of uvicorn running `app.cli.bench.servers:<factory>`, with the same settings for all."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "uvicorn", f"app.cli.bench.servers:{factory}", "--factory", "--port", str(port)),
        *("--workers", str(workers), "--no-access-log", "--log-level", "warning", "--loop", "uvloop"),
        *("--http", "httptools", "--no-server-header"),
    ]
    with (logs / f"{factory}.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603
            command, env={**os.environ, **settings}, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait(port, process, logs / f"{factory}.log")
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            httpx.get(f"http://127.0.0.1:{port}/healthz")
        except httpx.HTTPError:
            time.sleep(0.1)
            continue
        # Every worker process answers before the clock starts.
        time.sleep(1.0)
        return
    raise RuntimeError(f"the server did not start:\n{log.read_text()[-2000:]}")


def load(port: int, path: str, token: str, bodies: Path, clients: int) -> dict[str, Any]:
    """What the load generator saw (app.cli.bench.load)."""
    return _loaded(ground.job(port, path, token, bodies, clients))


def views(port: int, paths: Path, clients: int) -> dict[str, Any]:
    """The same of pages, whose paths are the lines of a file."""
    return _loaded(json.dumps({"port": port, "views": str(paths), "clients": clients}))


def posts(port: int, lines: Path, clients: int) -> dict[str, Any]:
    """The same of bodies sent each to a path of its own: the lines of a file."""
    return _loaded(json.dumps({"port": port, "posts": str(lines), "clients": clients}))


def _loaded(job: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "app.cli.bench.load"],
        input=job,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the load generator failed: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    found["rate"] = found["requests"] / found["seconds"]
    return found


def row(
    case: str,
    workers: int,
    clients: int,
    seen: dict[str, Any],
    floor: float,
    floor_is: str,
    *,
    scale: int = 1,
    per_commit: float | None = None,
    rss_mb: float | None = None,
) -> Row:
    """`scale`: sales in each request."""
    rate = seen["rate"] * scale
    good = sum(count for status, count in seen["statuses"].items() if status.startswith("2"))
    return Row(
        case,
        workers,
        clients,
        rate,
        floor,
        rate / floor,
        seen["p50_ms"],
        seen["p99_ms"],
        seen["max_ms"],
        seen["requests"] - good,
        floor_is,
        per_commit,
        100 * seen["cpu_s"] / seen["seconds"],
        rss_mb,
    )


def rss_mb(pid: int) -> float:
    """Resident memory of a process and its children."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        parent = re.search(r"^PPid:\s+(\d+)", text, re.MULTILINE)
        if int(status.parent.name) == pid or (parent and int(parent[1]) == pid):
            size = re.search(r"^VmRSS:\s+(\d+) kB", text, re.MULTILINE)
            total += int(size[1]) if size else 0
    return total / 1024


def sql_floor(address: str, statement: str, clients: int, seconds: int) -> float:
    """Transactions per second of one statement, by PostgreSQL's own pgbench."""
    script = Path(FLOORS.parent / f".{os.getpid()}.sql")
    script.write_text(statement)
    try:
        done = subprocess.run(  # noqa: S603
            [
                str(installation() / "bin" / "pgbench"),
                "-n",
                "-M",
                "prepared",
                "-c",
                str(clients),
                "-j",
                "1",
                "-T",
                str(seconds),
                "-f",
                str(script),
                address,
            ],
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        script.unlink()
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    if found is None:
        raise RuntimeError(f"pgbench said nothing: {done.stdout}")
    return float(found[1])


def sale_floor(address: str, clients: int) -> float:
    """Sales per second, one transaction each, all crediting one account."""
    return sql_floor(address, "\\set w random(101, 10100)\nSELECT floor.sale(:w);\n", clients, 5)


def batch_floor(address: str) -> float:
    """Sales per second, 500 in each set-based transaction, one writer."""
    return BATCH_ROWS * sql_floor(address, f"SELECT floor.batch({BATCH_ROWS});\n", 1, 5)


def token_of(it: Ground) -> str:
    return it.devices[0].token
