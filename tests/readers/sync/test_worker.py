"""The background work: rows up first, snapshots down, and what the server says about us."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.rules.offline import Refusal
from app.wire import read_payload
from readers.sync import Pace
from readers.terminal.commands import TillError
from tests.readers.sync.fake_server import AWA, CODE, STRONG, FakeServer
from tests.readers.till.terminals import Terminal, a_terminal

SYNC, SNAPSHOT = "/api/v1/terminals/sync", "/api/v1/terminals/snapshot"


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
async def terminal(tmp_path: Path, server: FakeServer) -> AsyncIterator[Terminal]:
    async with a_terminal(tmp_path, server) as terminal:
        yield terminal


async def test_a_long_queue_goes_up_in_batches_of_500(terminal: Terminal, server: FakeServer) -> None:
    await terminal.go_offline()
    from tests.readers.journal.rows import intent  # noqa: PLC0415

    await terminal.journal.append(*(intent() for _ in range(1100)))
    await terminal.go_online()
    assert server.batches[-3:] == [(1, 500), (501, 1000), (1001, 1100)]


async def test_rows_go_before_the_snapshot_so_that_it_contains_them(terminal: Terminal, server: FakeServer) -> None:
    await terminal.go_offline()
    await terminal.tap(AWA)
    await terminal.go_online()
    await terminal.until(lambda: terminal.shelf.shop and terminal.shelf.shop.snapshot.applied_through == 2)
    assert terminal.shelf.book is not None
    assert terminal.shelf.book.entries_after(0) == []


async def test_a_server_restored_from_a_backup_asks_for_what_it_lost(terminal: Terminal, server: FakeServer) -> None:
    for _ in range(3):
        await terminal.tap(STRONG)
    await terminal.until(lambda: not terminal.journal.waiting)
    # The server forgets two sales, their rows and what they took.
    for sale in list(server.sold.values())[1:]:
        server.book(sale, -1)
        server.undone.discard(sale.id)
        del server.sold[sale.id]
    del server.rows[2:]
    await terminal.tap(STRONG)
    await terminal.until(lambda: len(server.rows) == 8 and not terminal.journal.waiting)
    assert len(server.standing()) == 4
    assert server.balances[STRONG]["RAF"] == 10_000 - 4 * 450


async def test_a_quarantined_terminal_stops_selling_and_says_so(tmp_path: Path, server: FakeServer) -> None:
    async with a_terminal(tmp_path, server) as terminal:
        server.quarantined = True
        assert (await terminal.tap(AWA)).reason is Refusal.TERMINAL_HALTED
        await terminal.until(lambda: terminal.till.screen().quarantined)
        assert (await terminal.tap(AWA)).reason is Refusal.TERMINAL_HALTED
        await terminal.go_offline()
        assert (await terminal.tap(AWA)).reason is Refusal.TERMINAL_HALTED
    async with a_terminal(tmp_path, server) as terminal:
        assert terminal.till.screen().quarantined
        server.quarantined = False
        server.down = False
        await terminal.until(lambda: not terminal.till.screen().quarantined)
        await terminal.until(lambda: terminal.link.online)
        assert (await terminal.tap(AWA)).reason is None


async def test_a_revoked_terminal_stops_selling_and_resumes_when_it_is_let_in_again(
    terminal: Terminal, server: FakeServer
) -> None:
    server.revoked = True
    await terminal.until(lambda: terminal.journal.pairing.halted == "revoked")
    assert (await terminal.tap(AWA)).reason is Refusal.TERMINAL_HALTED
    server.revoked = False
    await terminal.until(lambda: terminal.link.online and not terminal.till.screen().quarantined)
    assert (await terminal.tap(AWA)).reason is None


async def test_a_revoked_terminal_hands_over_what_it_had_sold_and_may_be_paired_again(
    terminal: Terminal, server: FakeServer
) -> None:
    await terminal.go_offline()
    assert (await terminal.tap(AWA)).reason is None
    server.revoked = True
    server.down = False
    await terminal.until(lambda: not terminal.journal.waiting)
    assert [read_payload(text).kind for text in server.handed] == ["intent", "sale"]
    assert terminal.journal.pairing.halted == "revoked"
    assert not server.sold


async def test_a_handover_that_is_refused_keeps_the_rows(terminal: Terminal, server: FakeServer) -> None:
    await terminal.go_offline()
    assert (await terminal.tap(AWA)).reason is None
    server.revoked, server.device_key = True, server.public
    server.down = False
    await terminal.until(lambda: server.calls["/api/v1/terminals/handover"] >= 2)
    assert terminal.journal.waiting == 2
    assert not server.handed


async def test_an_old_copy_that_sold_delivers_what_it_sold(tmp_path: Path, server: FakeServer) -> None:
    """A restored card sells without network; with it, what it sold goes to the review, beside what the server holds."""
    async with a_terminal(tmp_path, server) as terminal:
        await terminal.tap(AWA)
        await terminal.until(lambda: not terminal.journal.waiting)
        await terminal.go_offline()
        assert (await terminal.tap(AWA)).reason is None
        # Meanwhile the server got other rows in these places.
        server.rows += [("0" * 64, server.rows[0][1])] * 5
        sent = len(server.batches)
        server.down = False
        await terminal.until(lambda: terminal.journal.pairing.halted == "behind" and len(server.batches) > sent)
        assert server.batches[-1] == (3, 4)
        assert server.quarantined


async def test_an_old_copy_of_the_journal_writes_nothing_more(tmp_path: Path, server: FakeServer) -> None:
    async with a_terminal(tmp_path, server) as terminal:
        await terminal.tap(AWA)
        await terminal.until(lambda: not terminal.journal.waiting)
        # The server holds rows that this journal does not: somebody put back an older SD card.
        server.rows += [("0" * 64, server.rows[0][1])] * 3
        await terminal.until(lambda: terminal.journal.pairing.halted == "behind")
        with pytest.raises(TillError, match="journal_failed"):
            await terminal.ask()
        head = terminal.journal.head
    async with a_terminal(tmp_path, server) as terminal:
        assert terminal.journal.head == head
        assert terminal.till.screen().quarantined


async def test_a_snapshot_that_is_not_our_server_s_is_not_installed(terminal: Terminal, server: FakeServer) -> None:
    before = terminal.shelf.shop
    good, bad = server.key, FakeServer().key
    server.key = bad
    server.prices["RAF"] = 1
    server.calls.clear()
    await terminal.until(lambda: server.calls[SNAPSHOT] > 2)
    assert terminal.shelf.shop is before
    server.key = good
    await terminal.until(lambda: terminal.shelf.shop is not before)


async def test_an_unchanged_snapshot_is_not_sent_again_and_stays_fresh(terminal: Terminal, server: FakeServer) -> None:
    shop = terminal.shelf.shop
    calls, began_s = server.calls[SNAPSHOT], time.monotonic()
    await terminal.until(lambda: server.calls[SNAPSHOT] > calls + 5)
    assert terminal.shelf.shop is shop
    assert terminal.shelf.age_s is not None
    assert terminal.shelf.age_s < time.monotonic() - began_s


async def test_an_old_snapshot_is_flagged_and_then_sold_from_no_more(
    terminal: Terminal, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await terminal.go_offline()
    now = terminal.clock.monotonic_ns
    monkeypatch.setattr(terminal.clock, "monotonic_ns", lambda: now() + 2 * 3600 * 10**9)
    assert terminal.till.screen().snapshot_stale
    assert (await terminal.tap(AWA)).reason is None
    monkeypatch.setattr(terminal.clock, "monotonic_ns", lambda: now() + 13 * 3600 * 10**9)
    assert (await terminal.tap(AWA)).reason is Refusal.SNAPSHOT_TOO_OLD


async def test_a_wrong_clock_is_flagged(terminal: Terminal, server: FakeServer) -> None:
    assert not terminal.till.screen().clock_skewed
    server.clock_off_us = -86_400_000_000
    await terminal.tap(AWA)
    await terminal.until(lambda: terminal.till.screen().clock_skewed)


async def test_rows_the_server_does_not_take_wait_while_selling_goes_on(terminal: Terminal, server: FakeServer) -> None:
    key, server.device_key = server.device_key, FakeServer().public
    await terminal.tap(AWA)
    await terminal.until(lambda: server.calls[SYNC] > 3)
    assert (terminal.journal.waiting, terminal.link.online) == (2, True)
    server.device_key = key
    await terminal.until(lambda: not terminal.journal.waiting)


async def test_snapshots_are_written_to_the_card_now_and_then_only(
    tmp_path: Path, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    saves: list[int] = []
    from readers.sync import SnapshotFile  # noqa: PLC0415

    save = SnapshotFile.save
    monkeypatch.setattr(SnapshotFile, "save", lambda self, received: (saves.append(1), save(self, received)))
    async with a_terminal(tmp_path, server, pace=Pace(snapshot_s=0.02, keep_s=60)) as terminal:
        for price in (500, 510, 520, 530):
            server.prices["RAF"] = price
            await terminal.until(lambda price=price: price in _prices(terminal))  # type: ignore[misc]
        assert len(saves) == 1
    # The last one is kept on the way out.
    assert len(saves) == 2
    server.down = True
    async with a_terminal(tmp_path, server) as terminal:
        assert 530 in _prices(terminal)


async def test_a_disk_that_takes_no_snapshot_does_not_stop_selling(
    tmp_path: Path, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("readers.sync.SnapshotFile.save", full)
    async with a_terminal(tmp_path, server) as terminal:
        server.prices["RAF"] = 500
        await terminal.until(lambda: _prices(terminal) == [500])
        assert (await terminal.tap(AWA)).offline is False


def _prices(terminal: Terminal) -> list[int]:
    assert terminal.shelf.shop is not None
    return [product.prices["RAF"] for product in terminal.shelf.shop.snapshot.products]


async def test_a_used_code_is_not_needed_twice(tmp_path: Path, server: FakeServer) -> None:
    async with a_terminal(tmp_path, server):
        assert CODE not in server.codes
    async with a_terminal(tmp_path, server) as terminal:
        assert terminal.journal.pairing.epoch == 1
