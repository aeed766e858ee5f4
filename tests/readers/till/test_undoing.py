"""What a terminal did with a card beside selling stands among the last sales, and is taken back from there."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.rules.ids import uuid7
from app.wire import IntentRow, VoidRow
from readers.journal import JournalFailed
from readers.sync import Pace
from tests.readers.sync.fake_server import AWA, FakeServer
from tests.readers.till.terminals import Terminal, a_terminal
from tests.readers.till.test_acts import TOP_UP, done, refused

VOIDS = "/api/v1/terminals/voids"
CREDIT = {"currency": "TIME", "amount": 60, "reason": "vaisselle"}
# No snapshot comes in between: what the terminal reckons itself is seen.
ALONE = Pace(snapshot_s=60, retry_s_min=0.02, retry_s_max=0.1, keep_s=0)


@pytest.fixture
def server() -> FakeServer:
    return FakeServer(rights=("sell", "top_up", "refund", "credit", "close"))


def held(it: Terminal) -> int:
    assert it.shelf.book is not None
    return (it.shelf.book.available(AWA) or {})["RAF"]


async def test_acts_stand_beside_the_sales_and_are_there_after_a_start(tmp_path: Path, server: FakeServer) -> None:
    async with a_terminal(tmp_path, server) as it:
        await it.tap(AWA)
        await it.till.dismiss()
        await done(it, "top_up", {**TOP_UP, "means": "bank_card"})
        await done(it, "credit", CREDIT)
        shown = it.till.screen().last_sales
        assert [past.act for past in shown] == ["credit", "top_up", None]
        assert (shown[1].rest[0].means, shown[1].price[0].minor, shown[1].card) == ("bank_card", 1500, AWA)
        assert await refused(it.till.print_receipt(shown[0].sale, "fr")) == "unknown_sale"
    async with a_terminal(tmp_path, server) as it:
        assert [past.sale for past in it.till.screen().last_sales] == [past.sale for past in shown]


async def test_a_top_up_is_taken_back_once_and_the_drawer_knows(tmp_path: Path, server: FakeServer) -> None:
    async with a_terminal(tmp_path, server, pace=ALONE) as it:
        await done(it, "top_up", TOP_UP)
        (past,) = it.till.screen().last_sales
        await it.till.void(past.sale, "wrong card")
        assert (held(it), server.balances[AWA]["RAF"]) == (2000, 2000)
        assert it.till.screen().last_sales[0].voided
        assert await refused(it.till.void(past.sale, "again")) == "not_voidable"
        await it.until(lambda: not it.journal.waiting)
        assert server.kinds() == ["intent", "top_up", "intent", "void"]
        report = await it.till.session.report("now", "en")
        assert [row for row in report.rows if row[1].startswith(("Top-ups", "Refunds"))] == [
            ("plain", "Top-ups: Cash", "€15.00"),
            ("plain", "Refunds: Cash", "€15.00"),
        ]
    async with a_terminal(tmp_path, server) as it:
        assert it.till.screen().last_sales[0].voided
        assert server.kinds()[-1] == "void", "its intent is no open one"


async def test_what_was_spent_is_refused_and_stands(tmp_path: Path, server: FakeServer) -> None:
    async with a_terminal(tmp_path, server) as it:
        await done(it, "top_up", TOP_UP)
        server.balances[AWA]["RAF"] = 1000
        (past,) = it.till.screen().last_sales
        assert await refused(it.till.void(past.sale, "typing")) == "undo_spent"
        assert not it.till.screen().last_sales[0].voided
        server.balances[AWA]["RAF"] = 1500
        await it.till.void(past.sale, "typing")
        assert server.balances[AWA]["RAF"] == 0


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        ((409, "terminals-away"), "undo_away"),
        ((403, "forbidden"), "no_right"),
        ((404, "not-found"), "undo_not_there"),
        ((409, "already-reversed"), "not_voidable"),
        ((422, "invalid"), "undo_refused"),
    ],
)
async def test_the_server_s_reason_is_told(
    tmp_path: Path, server: FakeServer, refusal: tuple[int, str], said: str
) -> None:
    async with a_terminal(tmp_path, server) as it:
        await done(it, "credit", CREDIT)
        server.act_refusal = refusal
        assert await refused(it.till.void(it.till.screen().last_sales[0].sale, "typing")) == said
        assert server.balances[AWA]["TIME"] == 240


async def test_without_network_it_is_greyed_and_a_sale_is_not(tmp_path: Path, server: FakeServer) -> None:
    async with a_terminal(tmp_path, server) as it:
        await it.tap(AWA)
        await it.till.dismiss()
        await done(it, "top_up", TOP_UP)
        await it.go_offline()
        top_up, sale = it.till.screen().last_sales
        assert (top_up.why_not, sale.why_not) == ("only_online", None)
        assert await refused(it.till.void(top_up.sale, "typing")) == "only_online"
        await it.till.void(sale.sale, "typing")


async def test_without_an_answer_nothing_is_undone(tmp_path: Path, server: FakeServer) -> None:
    async with a_terminal(tmp_path, server) as it:
        await done(it, "top_up", TOP_UP)
        server.fail(VOIDS, "unanswered", "unanswered")
        (past,) = it.till.screen().last_sales
        assert await refused(it.till.void(past.sale, "typing")) == "undo_no_answer"
        await it.until(lambda: server.kinds()[-1:] == ["cancel"])
        assert server.balances[AWA]["RAF"] == 3500, "the server had taken it back"
        assert not it.till.screen().last_sales[0].voided
        await it.until(lambda: it.link.online)
        await it.till.void(past.sale, "typing")
        assert server.balances[AWA]["RAF"] == 2000, "the second try undoes it"


async def test_while_a_cancel_is_on_its_way_nobody_is_told_that_it_was_undone_already(
    tmp_path: Path, server: FakeServer
) -> None:
    async with a_terminal(tmp_path, server) as it:
        await done(it, "top_up", TOP_UP)
        await it.until(lambda: not it.journal.waiting)
        server.fail(VOIDS, "unanswered", "unanswered")
        server.fail("/api/v1/terminals/sync", *["500"] * 40)
        (past,) = it.till.screen().last_sales
        assert await refused(it.till.void(past.sale, "typing")) == "undo_no_answer"
        # As a round does that began before the cancel was written.
        it.link.found()
        assert await refused(it.till.void(past.sale, "typing")) == "undo_no_answer"
        assert server.kinds()[-1:] == ["top_up"]


async def test_an_undo_that_cannot_be_written_or_was_cut_off_is_taken_back(
    tmp_path: Path, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_terminal(tmp_path, server) as it:
        await done(it, "top_up", TOP_UP)
        append = it.journal.append

        async def full(*rows: object) -> int:
            if isinstance(rows[0], VoidRow):
                raise JournalFailed("disk full")
            return await append(*rows)  # type: ignore[arg-type]

        monkeypatch.setattr(it.journal, "append", full)
        (past,) = it.till.screen().last_sales
        assert await refused(it.till.void(past.sale, "typing")) == "journal_failed"
        monkeypatch.undo()
        await it.until(lambda: server.kinds()[-1:] == ["cancel"])
        assert server.balances[AWA]["RAF"] == 3500
        # The power goes while the server is asked.
        cut = uuid7()
        await it.journal.append(IntentRow(sale=cut, at_us=1))
        server.take_back(cut, server.acted[past.sale])
    async with a_terminal(tmp_path, server) as it:
        await it.until(lambda: not it.journal.waiting)
        assert server.balances[AWA]["RAF"] == 3500
