"""The till session at a whole terminal: float, cash, counts, closings; offline, after crashes, within rights."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.wire import ClosingRow, SnapshotTill, read_payload
from readers.terminal.commands import TillError
from tests.readers.sync.fake_server import AWA, FakeServer
from tests.readers.till.terminals import a_terminal

ALL = ("sell", "close")


def closings(server: FakeServer) -> list[ClosingRow]:
    rows = [read_payload(text) for _, text in server.rows]
    return [it for it in rows if isinstance(it, ClosingRow)]


async def refused(work: object) -> str:
    with pytest.raises(TillError) as caught:
        await work  # type: ignore[misc]
    return caught.value.reason


async def test_an_evening_offline(tmp_path: Path) -> None:
    server = FakeServer(rights=ALL)
    async with a_terminal(tmp_path, server) as it:
        await it.go_offline()
        session = it.till.session
        await session.open({1000: 5})
        await it.tap(AWA)
        await session.move("out", "to_safe", "", 2000)
        counted = await session.count({1000: 3})
        assert (counted.counted_cents, counted.expected_cents) == (3000, 3000)
        before = await session.report("now", "fr")
        assert before.number == 0
        assert await session.close("") == 1
        assert not it.till.screen().session.open
        after = await session.report("closed", "fr")
        again = await session.report("last", "fr")
        assert again.rows == (("title", "DUPLICATA", ""), *after.rows)
        await it.go_online()
    (closing,) = closings(server)
    assert (closing.figures.sales, closing.expected_cents, closing.difference_cents) == (1, 3000, 0)
    assert closing.figures.moved_out == {"to_safe": 2000}


async def test_a_report_up_to_now_changes_nothing(tmp_path: Path) -> None:
    async with a_terminal(tmp_path, FakeServer(rights=ALL)) as it:
        await it.tap(AWA)
        head = it.journal.head
        assert await it.till.session.report("now", "fr") == await it.till.session.report("now", "fr")
        assert it.journal.head == head


async def test_closings_go_on_after_a_restart(tmp_path: Path) -> None:
    server = FakeServer(rights=ALL)
    async with a_terminal(tmp_path, server) as it:
        await it.tap(AWA)
        assert await it.till.session.close("") == 1
        await it.till.session.open({})
        await it.tap(AWA)
    async with a_terminal(tmp_path, server) as it:
        assert it.till.screen().session.open
        assert await it.till.session.close("") == 2
        await it.until(lambda: not it.journal.waiting)
    first, second = closings(server)
    assert second.before == first.after
    assert second.after.perpetual.sales == 2
    assert second.figures.sales == 1


async def test_a_new_device_goes_on_from_what_the_server_tells(tmp_path: Path) -> None:
    server = FakeServer(rights=ALL)
    before = SnapshotTill.model_validate(
        {"closed": {"number": 41, "perpetual": {"sales": 900, "total": {"RAF": 450_000}}}}
    )
    server.till = before
    async with a_terminal(tmp_path, server) as it:
        await it.tap(AWA)
        assert await it.till.session.close("") == 42
        await it.until(lambda: not it.journal.waiting)
    (closing,) = closings(server)
    assert closing.after.perpetual.sales == 901


async def test_nothing_is_sold_without_a_session_where_one_is_required(tmp_path: Path) -> None:
    server = FakeServer(rights=ALL)
    server.till = SnapshotTill(session_required=True)
    async with a_terminal(tmp_path, server) as it:
        assert await refused(it.ask()) == "no_session"
        await it.till.session.open({})
        await it.tap(AWA)


async def test_who_only_sells_counts_blindly_and_closes_nothing(tmp_path: Path) -> None:
    server = FakeServer(rights=ALL)
    server.rights = ("sell",)
    async with a_terminal(tmp_path, server) as it:
        session = it.till.session
        await session.open({100: 1})
        counted = await session.count({100: 2})
        assert (counted.counted_cents, counted.expected_cents) == (200, None)
        for work in (session.close(""), session.move("in", "change", "", 1), session.report("now", "fr")):
            assert await refused(work) == "no_right"


async def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    async with a_terminal(tmp_path, FakeServer(rights=ALL)) as it:
        session = it.till.session
        assert await refused(session.close("")) == "nothing_to_close"
        assert await refused(session.report("last", "fr")) == "no_closing"
        assert await refused(session.print_report("now", "fr")) == "no_printer"
        await session.open({100: 1})
        assert await refused(session.open({})) == "session_open"
        await session.count({100: 2})
        assert await refused(session.close("  ")) == "reason_needed"
        await it.ask()
        assert await refused(session.close("Pourboire")) == "busy"
        await it.till.cancel()
        assert await session.close("Pourboire") == 1


async def test_a_row_that_comes_between_is_in_the_closing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is written while the figures are read is read before the closing is written."""
    server = FakeServer(rights=ALL)
    async with a_terminal(tmp_path, server) as it:
        await it.tap(AWA)
        append_at, missed = it.journal.append_at, []

        async def later(head: int, row: ClosingRow) -> int | None:
            if not missed:
                missed.append(head)
                await it.till.session.move("in", "change", "", 500)
            return await append_at(head, row)

        monkeypatch.setattr(it.journal, "append_at", later)
        await it.till.session.close("")
        await it.until(lambda: not it.journal.waiting)
    (closing,) = closings(server)
    assert closing.figures.moved_in == {"change": 500}
