"""`python -m tests.support.forge`: terminals as processes that are forked from one that has loaded everything.

Each line on stdin asks for one (a `Wanted` as JSON) and is answered with its process's id. What is forked runs the real
command, `comptoir terminal`. A test may ask for two things that a machine does by itself, only never when it is needed:

`points`: a file that names the moment at which the process gets SIGKILL. Moments of the journal are seen by a VFS under
SQLite and by SQLite's own trace, those of other files by Python's audit hooks: the program is not asked.
`clock`: a file that says by how many seconds the machine's wall clock is off (a double); it may change at any time.
"""

from __future__ import annotations

import json
import mmap
import os
import signal
import struct
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import apsw

import readers.agent
import readers.cli
import readers.drivers.nfcpy

POINT_BYTES = 64
# Before the point in the file, once it was reached.
DIED = "died: "
# A moment of every checkpoint comes soon: SQLite's own is after 1,000 pages.
CHECKPOINT_PAGES = 40


@dataclass(frozen=True, slots=True)
class Wanted:
    arguments: tuple[str, ...]
    log: str
    points: str = ""
    clock: str = ""


def mapped(path: Path | str, size: int) -> mmap.mmap:
    """A small file that two processes see at once."""
    with Path(path).open("r+b") as file:
        return mmap.mmap(file.fileno(), size)


class _Fate:
    def __init__(self, path: str) -> None:
        self._armed = mapped(path, POINT_BYTES)

    def at(self, point: str) -> None:
        if self._armed[:].rstrip(b"\0").decode() == point:
            self._armed[:] = (DIED + point).encode().ljust(POINT_BYTES, b"\0")
            os.kill(os.getpid(), signal.SIGKILL)


class _File(apsw.VFSFile):  # type: ignore[misc]
    """A real file of the default file system."""

    def __init__(self, name: Any, flags: list[int], told: Callable[[str, str], None]) -> None:
        super().__init__("", name, flags)
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        self._which = "log" if path.endswith("-wal") else "file"
        self._told = told

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - apsw's name
        super().xWrite(data, offset)
        self._told(self._which, "written")

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._told(self._which, "syncing")
        super().xSync(flags)
        self._told(self._which, "durable")


class _Vfs(apsw.VFS):  # type: ignore[misc]
    def __init__(self, told: Callable[[str, str], None]) -> None:
        self._told = told
        super().__init__("deadly", "")

    def xOpen(self, name: Any, flags: list[int]) -> _File:  # noqa: N802
        return _File(name, flags, self._told)


class _Journal:
    """Knows what the transaction of the moment is about, and so what a write or a sync is."""

    def __init__(self, fate: _Fate) -> None:
        self._fate = fate
        self._about = ""
        self._vfs = _Vfs(self._told)

    def open(self, path: Path) -> Any:
        db = apsw.Connection(str(path), vfs="deadly")
        # apsw passes no shared memory on; one process has this file anyway.
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        db.exec_trace = self._executes
        return db

    def _executes(self, _: Any, sql: str, bindings: Sequence[Any] | None) -> bool:
        if sql.startswith("INSERT INTO rows") and bindings:
            self._about = str(bindings[5])
            self._fate.at(f"{self._about} made")
        elif sql.startswith("UPDATE pairings SET acknowledged"):
            self._about = "acknowledgement"
            self._fate.at("acknowledgement made")
        elif "event IS NOT NULL AND kind <> 'cancel'" in sql:
            self._fate.at("snapshot being installed")
        return True

    def _told(self, which: str, what: str) -> None:
        if which == "log" and what != "written" and self._about:
            self._fate.at(f"{self._about} {what}")
            if what == "durable":
                self._about = ""
        elif which == "file":
            self._fate.at(f"checkpoint {what}")


def _watch_files(fate: _Fate) -> None:
    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and str(arguments[0]).endswith("snapshot.new"):
            fate.at("snapshot being written")
        elif event == "os.rename" and str(arguments[0]).endswith("snapshot.new"):
            fate.at("snapshot being renamed")

    sys.addaudithook(hook)


def _shift_clock(path: str) -> None:
    offset, time_ns = mapped(path, 8), time.time_ns

    def shifted_ns() -> int:
        return time_ns() + int(struct.unpack("d", offset[:])[0] * 1e9)

    time.time_ns, time.time = shifted_ns, lambda: shifted_ns() / 1e9


def _run(wanted: Wanted) -> None:
    """In the child: never returns."""
    os.setsid()
    log = os.open(wanted.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDWR)
    for at, instead in ((0, nothing), (1, log), (2, log)):
        os.dup2(instead, at)
    if wanted.clock:
        _shift_clock(wanted.clock)
    if wanted.points:
        fate = _Fate(wanted.points)
        journal, config = _Journal(fate), readers.agent.AgentConfig
        _watch_files(fate)

        def deadly(**given: Any) -> readers.agent.AgentConfig:
            # Each snapshot is kept at once, and not every minute.
            it = config(**given, open_connection=journal.open)
            return replace(it, pace=replace(it.pace, keep_s=0))

        readers.agent.AgentConfig = deadly  # type: ignore[assignment, misc]
    try:
        readers.cli.terminal(wanted.arguments)
    except SystemExit as end:
        os._exit(end.code if isinstance(end.code, int) else 1)
    os._exit(1)


def main() -> None:
    # Nobody asks how they ended: whoever forked them watches the process itself.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        wanted = Wanted(**json.loads(line))
        child = os.fork()
        if not child:
            _run(wanted)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()


def asked(wanted: Wanted) -> str:
    return json.dumps(asdict(wanted)) + "\n"


if __name__ == "__main__":
    main()
