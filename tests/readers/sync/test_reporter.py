"""A terminal's reports: they come when nothing is sold, and from a terminal that may not sell."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID

import pytest

from app.wire import FORKS_MAX, SeenFork, StatusReply, TerminalStatus
from app.wire.status import STATUS_CHARS_MAX
from readers.sync import DeviceKey, Reporter, Server, Unreachable
from readers.taps import ReaderLost
from readers.till import Looks
from tests.readers.sync.fake_server import AWA, FakeServer, Line
from tests.readers.till.terminals import Terminal, a_terminal

pytestmark = pytest.mark.anyio

NO_SITE = SimpleNamespace(forks=())


async def unheeded(_: StatusReply) -> None:
    """For tests that are about the report."""


def reporter(at: Terminal, folder: Path, line: Server, every_s: float = 60) -> Reporter:
    return Reporter(
        line, at.journal, Looks(folder, "9.9", at.journal, at.shelf, at.till, at.clock, NO_SITE), unheeded, every_s
    )


def line_of(at: Terminal, folder: Path) -> Server:
    return Server("http://server", DeviceKey.load_or_make(folder / "device.key"), at.clock, transport=Line(at.server))


async def test_a_report_tells_how_the_terminal_is(tmp_path: Path) -> None:
    server = FakeServer()
    async with a_terminal(tmp_path, server) as at, line_of(at, tmp_path) as line:
        reply = await reporter(at, tmp_path, line).report()
        (told,) = server.statuses
        assert reply.standing == "active"
        assert (told.version, told.reader, told.waiting, told.oldest_waiting_s, told.halted) == (
            "9.9",
            "ok",
            0,
            None,
            None,
        )
        assert told.journal_bytes > 0
        assert told.snapshot_age_s == 0


async def test_unsent_sales_and_a_lost_reader_are_told(tmp_path: Path) -> None:
    server = FakeServer()
    async with a_terminal(tmp_path, server) as at, line_of(at, tmp_path) as line:
        await at.go_offline()
        await at.tap(AWA)
        at.till.on_reader(ReaderLost("no such device"))
        with pytest.raises(Unreachable):
            await reporter(at, tmp_path, line).report()
        server.fail("/api/v1/terminals/sync", *["500"] * 100)
        server.down = False
        await reporter(at, tmp_path, line).report()
        told = server.statuses[-1]
        assert (told.reader, told.reader_reason) == ("lost", "no such device")
        assert told.waiting >= 2
        assert told.oldest_waiting_s is not None


async def test_one_that_was_revoked_still_tells(tmp_path: Path) -> None:
    server = FakeServer()
    async with a_terminal(tmp_path, server) as at, line_of(at, tmp_path) as line:
        server.revoked = True
        await at.until(lambda: at.journal.pairing.halted == "revoked")
        assert (await reporter(at, tmp_path, line).report()).standing == "revoked"
        assert server.statuses[-1].halted == "revoked"


async def test_a_change_is_told_at_once_and_a_fault_ends_no_reports(tmp_path: Path) -> None:
    server = FakeServer()
    async with a_terminal(tmp_path, server) as at, line_of(at, tmp_path) as line:
        server.fail("/api/v1/terminals/status", "500")
        it = reporter(at, tmp_path, line, every_s=0.01)
        running = asyncio.create_task(it.run())
        await at.until(lambda: len(server.statuses) >= 2)
        running.cancel()
        await asyncio.wait([running])


def test_a_report_with_everything_in_it_fits() -> None:
    most = 2**53
    told = TerminalStatus(
        version="v" * 40,
        model="é" * 80,
        at_us=7_258_118_400_000_000,
        running_s=most,
        waiting=most,
        oldest_waiting_s=most,
        halted="quarantined",
        reader="lost",
        reader_reason="é" * 120,
        snapshot_age_s=most,
        journal_bytes=most,
        journal_failed=True,
        read_only=True,
        volatile=True,
        disk_free_mb=most,
        disk_total_mb=most,
        disk_errors=most,
        card_wear_percent=most,
        memory_free_mb=most,
        memory_total_mb=most,
        agent_mb=most,
        temperature_c=-100,
        power="low_before",
        site=most,
        forks=tuple(SeenFork(device=UUID(int=n), epoch=most, sequence=most) for n in range(FORKS_MAX)),
    )
    assert all(value is not None for value in told.model_dump().values())
    assert len(told.model_dump_json()) < STATUS_CHARS_MAX
