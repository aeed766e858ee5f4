"""Posters in processes of their own, and the small ledger that they post to."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from app.ledger.rules.kinds import AccountKey
from app.ledger.service import Ledger
from app.ledger.verify import verify
from app.platform.database import create_engine
from app.rules.ids import uuid7
from tests.app.ledger.conftest import KEY, KEYS, RAF, Books

ROOT = Path(__file__).parents[2]
DEADLINE_S = 30.0

Row = tuple[str, str, int]
Answer = tuple[str, list[int]]


def until(holds: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
    end = time.monotonic() + deadline_s
    while not holds():
        assert time.monotonic() < end, f"waited in vain for: {what}"
        time.sleep(0.005)


@dataclass
class Poster:
    """One process. `answers`: what it said so far, by operation's id: (outcome, numbers of the transfers)."""

    process: subprocess.Popen[str]
    ids: dict[str, int]
    asked: list[str] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    ready: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if not line.endswith("\n"):
                return  # killed in the middle of a word
            said = json.loads(line)
            if said[0] == "ready":
                self.ready.set()
            else:
                id_, outcome, numbers = said
                self.answers[id_] = (outcome, numbers)

    def post(self, operations: Iterable[tuple[str, Sequence[Row | list[int]]]], *, together: bool = False) -> None:
        """Rows are named accounts and an amount, or numbers of accounts, an amount and the transfer to take back."""
        told = [(id_, [self._row(row) for row in rows]) for id_, rows in operations]
        self.asked += [id_ for id_, _ in told]
        self.say({"do": "post", "operations": told, "together": together})

    def say(self, what: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def all_answered(self, deadline_s: float = DEADLINE_S) -> None:
        until(lambda: set(self.asked) <= set(self.answers), "an answer to every operation", deadline_s)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.reader.join(DEADLINE_S)

    def _row(self, row: Row | list[int]) -> Sequence[int | None]:
        return row if isinstance(row, list) else (self.ids[row[0]], self.ids[row[1]], row[2], None)


@contextmanager
def posters(url: str, ids: dict[str, int], count: int, *settings: str) -> Iterator[list[Poster]]:
    """So many of them, ready; none is left behind."""
    command = [sys.executable, "-m", "tests.faults.ledger_poster", url, *settings]
    running: list[Poster] = []
    try:
        for _ in range(count):
            pipe = subprocess.PIPE
            process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT)
            running.append(Poster(process, ids))
        for poster in running:
            assert poster.ready.wait(DEADLINE_S), "the poster did not start"
        yield running
    finally:
        for poster in running:
            if poster.process.poll() is None:
                os.kill(poster.process.pid, signal.SIGCONT)
                poster.kill()
            assert poster.process.stdin is not None
            assert poster.process.stdout is not None
            poster.reader.join(DEADLINE_S)
            poster.process.stdout.close()
            try:
                poster.process.stdin.close()
            except BrokenPipeError:
                continue


async def opened(url: str) -> dict[str, int]:
    """The accounts that are posted to, by name; six wallets `ring 0` to `ring 5` among them."""
    keys = KEYS | {f"ring {n}": AccountKey(RAF, "wallet", f"wallet:ring{n}") for n in range(6)}
    engine = create_engine(url)
    ledger = Ledger.open(engine, url, KEY)
    await ledger.start()
    try:
        return dict(zip(keys, await ledger.accounts(list(keys.values()), {"RAF": 1}), strict=True))
    finally:
        await ledger.stop()
        await engine.dispose()


async def top_up(url: str, ids: dict[str, int], **amounts: int) -> None:
    engine = create_engine(url)
    ledger = Ledger.open(engine, url, KEY)
    await ledger.start()
    books = Books(ledger, engine, ids)
    try:
        for name, amount in amounts.items():
            await books.top_up(name.replace("_", " "), amount)
    finally:
        await ledger.stop()
        await engine.dispose()


async def proven(url: str, ids: dict[str, int]) -> tuple[dict[str, int], set[str]]:
    """(balances by name, ids of all operations), after `verify` found nothing."""
    engine = create_engine(url)
    try:
        report = await verify(engine, KEY.public_key())
        assert report.findings == []
        async with engine.connect() as connection:
            rows = await connection.exec_driver_sql("SELECT id, balance FROM account")
            balances = {row.id: row.balance for row in rows}
            booked = {str(row.id) for row in await connection.exec_driver_sql("SELECT id FROM operation")}
        assert len(booked) == report.operations
        return {name: balances[id_] for name, id_ in ids.items()}, booked
    finally:
        await engine.dispose()


def sales(count: int, *rows: Row) -> list[tuple[str, list[Row]]]:
    return [(str(uuid7()), list(rows)) for _ in range(count)]


class Server:
    """A durable PostgreSQL, which may be killed: `address` has a slot {db}."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.folder = Path(parse_qs(urlsplit(address).query)["host"][0])

    @property
    def pid(self) -> int:
        return int((self.folder / "data" / "postmaster.pid").read_text().split("\n", 1)[0])

    def kill(self) -> Callable[[], None]:
        """SIGKILL, to it and all its children; what is returned starts it again as it was."""
        pid = self.pid
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]
        control = Path(os.readlink(f"/proc/{pid}/exe")).with_name("pg_ctl")
        children = [int(it) for it in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        for each in (pid, *children):
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)
        until(lambda: not any(_runs(each) for each in (pid, *children)), "the server to be dead")
        # All are dead, but not yet buried where the first process of a container is slow, and a new server would take
        # the pid in these files for a living one.
        (self.folder / "data" / "postmaster.pid").unlink()
        for lock in self.folder.glob(".s.PGSQL.*.lock"):
            lock.unlink()

        def start() -> None:
            owner = (self.folder / "data").stat()
            who = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
            options = " ".join(command[3:])
            arguments = ["-D", str(self.folder / "data"), "-w", "-l", str(self.folder / "server.log"), "-o", options]
            run = [str(control), *arguments, "start"]
            subprocess.run(run, check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **who)  # type: ignore[call-overload]

        return start


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in {"Z", "X"}
    except (FileNotFoundError, ProcessLookupError):
        return False
