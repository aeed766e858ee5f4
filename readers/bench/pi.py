"""A modelled Raspberry Pi: the agent's process runs a quarter of the time, and each fsync of its journal takes 30 ms.

It is a model, and no Pi: a real one has four slow cores and not a quarter of a fast one, and an SD card that is quick
most of the time and slow now and then. Stopping a whole process stops its threads together, which is harder than
slow cores are.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from readers.bench import cases

FSYNC_S = 0.030
RUN_S, STOPPED_S = 0.001, 0.003
_SLOW = "comptoir-slow"


def taps(data: Path, url: str, pin: str, cards: int, count: int, *, online: bool) -> list[float]:
    """Seconds of `count` taps on the model, each from the card's answer to the result. RuntimeError."""
    job = {"data": str(data), "url": url, "pin": pin, "cards": cards, "count": count, "online": online}
    command = [sys.executable, "-m", "readers.bench.pi", json.dumps(job)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        _throttle(process)
        out, err = process.communicate()
    if process.returncode:
        raise RuntimeError(f"the modelled terminal failed:\n{err[-2000:]}")
    found: list[float] = json.loads(out)
    return found


def _throttle(process: subprocess.Popen[str]) -> None:
    """Let it run a quarter of the time until it ends."""
    while process.poll() is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGSTOP)
            time.sleep(STOPPED_S)
            os.kill(process.pid, signal.SIGCONT)
        time.sleep(RUN_S)


def slow_disk() -> Any:
    """A function that opens a journal's connection on a disk whose every fsync takes FSYNC_S (needs apsw)."""
    import apsw  # noqa: PLC0415

    class SlowFile(apsw.VFSFile):
        def xSync(self, flags: int) -> None:  # noqa: N802 (apsw's name)
            time.sleep(FSYNC_S)
            super().xSync(flags)

    class SlowDisk(apsw.VFS):
        def __init__(self) -> None:
            super().__init__(_SLOW, "")

        def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802 (apsw's name)
            return SlowFile("", name, flags)

    # Known to SQLite by its name for as long as the object is kept.
    disk = SlowDisk()

    def open_connection(path: Path, _disk: SlowDisk = disk) -> Any:
        connection = apsw.Connection(str(path), vfs=_SLOW)
        connection.set_busy_timeout(5000)
        return connection

    return open_connection


async def _run(job: dict[str, Any]) -> list[float]:
    cases.quiet()
    measure = partial(cases.online, url=job["url"]) if job["online"] else cases.decisions
    return await measure(
        Path(job["data"]), pin=job["pin"], cards=job["cards"], count=job["count"], open_connection=slow_disk()
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(_run(json.loads(sys.argv[1])))))
