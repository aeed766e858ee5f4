"""A tap in all its branches: green if, and only if, the sale is in the journal and will be booked once."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.rules.offline import Refusal
from app.wire import SaleRow
from readers.journal import JournalFailed
from readers.taps import Moment, ReaderLost, TwoCards, UnusableCard
from readers.terminal.commands import TillError
from readers.terminal.view import Amount, BasketItem
from tests.readers.sync.fake_server import AWA, BOB, PIN, STRONG, FakeServer
from tests.readers.till.terminals import Terminal, a_terminal

SALES, SYNC, SNAPSHOT = "/api/v1/sales", "/api/v1/terminals/sync", "/api/v1/terminals/snapshot"


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


@pytest.fixture
async def terminal(tmp_path: Path, server: FakeServer) -> AsyncIterator[Terminal]:
    async with a_terminal(tmp_path, server) as terminal:
        yield terminal


async def settled(terminal: Terminal) -> None:
    """Everything is sent, and the server's books say what the terminal's light said."""
    await terminal.until(lambda: terminal.link.online and not terminal.journal.waiting)
    green = {
        past.sale: sum(one.minor for one in past.price) for past in terminal.till.screen().last_sales if not past.voided
    }
    assert terminal.server.standing() == green


async def test_online_the_server_books_and_the_light_is_green(terminal: Terminal, server: FakeServer) -> None:
    result = await terminal.tap(AWA)
    assert (result.reason, result.offline, result.price) == (None, False, (Amount("RAF", 450),))
    assert {b.currency: b.minor for b in result.balances or ()} == {"RAF": 1550, "TIME": 180}
    await settled(terminal)
    assert server.kinds() == ["intent", "sale"]
    assert server.payloads()[1].mode == "online"
    assert server.payloads()[1].sale.cashier == server.cashier


async def test_hours_pay_too(terminal: Terminal, server: FakeServer) -> None:
    assert (await terminal.tap(AWA, 2, "TIME")).reason is None
    assert server.balances[AWA]["TIME"] == 120


@pytest.mark.parametrize(
    ("card", "quantity", "reason"),
    [
        (BOB, 1, Refusal.INSUFFICIENT_FUNDS),
        ("04FFFFFFFFFFFF", 1, Refusal.CARD_UNKNOWN),
        (STRONG, 1, Refusal.CARD_BLOCKED),
    ],
)
async def test_a_refusal_on_the_merits_is_red_with_its_reason(
    terminal: Terminal, server: FakeServer, card: str, quantity: int, reason: Refusal
) -> None:
    server.blocked.add(STRONG)
    result = await terminal.tap(card, quantity)
    assert (result.reason, result.offline) == (reason, False)
    assert terminal.link.online
    await settled(terminal)
    assert server.kinds() == ["intent", "refused"]


async def test_a_changed_price_is_refused_and_the_new_one_is_fetched_at_once(
    tmp_path: Path, server: FakeServer
) -> None:
    from readers.sync import Pace  # noqa: PLC0415

    # So slow a pace that only the refusal can bring the new price.
    async with a_terminal(tmp_path, server, pace=Pace(snapshot_s=3600)) as terminal:
        server.prices["RAF"] = 500
        assert (await terminal.tap(AWA)).reason is Refusal.PRICE_CHANGED
        before = terminal.till.screen().catalogue_version
        await terminal.until(lambda: terminal.till.screen().catalogue_version != before)
        assert (await terminal.tap(AWA)).price == (Amount("RAF", 500),)


@pytest.mark.parametrize("fault", ["lost", "slow", "late", "500", "429", "portal", "401"])
async def test_without_an_answer_in_time_the_terminal_decides_and_the_sale_is_booked_once(
    tmp_path: Path, server: FakeServer, fault: str
) -> None:
    server.slow_s = 30
    async with a_terminal(tmp_path, server, deadline_s=0.1) as terminal:
        server.fail(SALES, fault, fault)
        result = await terminal.tap(AWA)
        assert (result.reason, result.offline) == (None, True)
        assert {b.currency: b.minor for b in result.balances or ()} == {"RAF": 1550, "TIME": 180}
        await settled(terminal)
        assert server.balances[AWA] == Counter(RAF=1550, TIME=180)


async def test_an_answer_lost_on_a_stale_connection_is_asked_for_again(terminal: Terminal, server: FakeServer) -> None:
    server.fail(SALES, "unanswered")
    result = await terminal.tap(AWA)
    assert (result.reason, result.offline) == (None, False)
    assert server.calls[SALES] == 2
    await settled(terminal)


async def test_an_answer_lost_after_booking_twice_over_is_still_one_sale(
    terminal: Terminal, server: FakeServer
) -> None:
    server.fail(SALES, "unanswered", "unanswered")
    result = await terminal.tap(AWA)
    assert (result.reason, result.offline) == (None, True)
    await settled(terminal)
    assert server.balances[AWA]["RAF"] == 1550


async def test_a_sale_booked_unseen_and_then_refused_here_is_taken_back(terminal: Terminal, server: FakeServer) -> None:
    # 31 beers are above every offline limit, but the server, whose answer is lost, books them.
    server.balances[AWA]["RAF"] = 20_000
    server.fail(SALES, "unanswered", "unanswered")
    result = await terminal.tap(AWA, 31)
    assert (result.reason, result.offline) == (Refusal.OVER_SALE_LIMIT, True)
    await settled(terminal)
    assert server.kinds() == ["intent", "refused", "cancel"]
    assert server.balances[AWA]["RAF"] == 20_000
    assert len(server.undone) == 1


async def test_a_sale_that_never_arrived_and_was_refused_here_leaves_a_tombstone(
    terminal: Terminal, server: FakeServer
) -> None:
    server.fail(SALES, "lost")
    result = await terminal.tap("04FFFFFFFFFFFF")
    assert result.reason is Refusal.CARD_UNKNOWN
    await settled(terminal)
    assert server.tombstones == {result.sale}


async def test_a_known_offline_terminal_does_not_wait_at_each_tap(tmp_path: Path, server: FakeServer) -> None:
    async with a_terminal(tmp_path, server, deadline_s=60) as terminal:
        await terminal.go_offline()
        calls = server.calls[SALES]
        results = [await terminal.tap(AWA) for _ in range(3)]
        assert [result.offline for result in results] == [True] * 3
        assert server.calls[SALES] == calls
        assert terminal.till.screen().waiting == 6
        await terminal.go_online()
        assert server.balances[AWA]["RAF"] == 2000 - 3 * 450
        assert (await terminal.tap(BOB)).offline is False


async def test_offline_the_limits_hold_and_say_which(terminal: Terminal, server: FakeServer) -> None:
    await terminal.go_offline()
    assert (await terminal.tap(AWA, 7)).reason is Refusal.OVER_SALE_LIMIT
    assert (await terminal.tap("04FFFFFFFFFFFF")).reason is Refusal.CARD_UNKNOWN
    assert [(await terminal.tap(BOB)).reason for _ in range(6)] == [None] * 5 + [Refusal.TOO_MANY_OFFLINE]
    # Nothing of the refused ones was ever sent for booking, so there is nothing to cancel.
    await terminal.go_online()
    await settled(terminal)
    assert Counter(server.kinds()) == Counter(intent=8, sale=5, refused=3)
    assert server.balances[BOB]["RAF"] == 300 - 5 * 450


async def test_what_is_settled_counts_no_longer(terminal: Terminal, server: FakeServer) -> None:
    await terminal.go_offline()
    for _ in range(5):
        await terminal.tap(BOB)
    await terminal.go_online()
    server.balances[BOB]["RAF"] = 1000
    await terminal.until(lambda: terminal.shelf.book and terminal.shelf.book.available(BOB) == {"RAF": 1000})
    await terminal.go_offline()
    result = await terminal.tap(BOB)
    assert result.reason is None
    assert [b.minor for b in result.balances or ()] == [550]


async def test_a_snapshot_that_comes_while_rows_are_under_way_counts_nothing_twice(
    terminal: Terminal, server: FakeServer
) -> None:
    """Online sales are booked before their rows arrive; the snapshot in between names them as beyond its mark."""
    server.slow_s = 0.5
    server.fail(SYNC, "late")
    for _ in range(3):
        assert not (await terminal.tap(AWA)).offline
        await terminal.worker._fetch()
        assert terminal.shelf.book is not None
        left = terminal.shelf.book.available(AWA)
        assert left == {"RAF": server.balances[AWA]["RAF"], "TIME": 180}
    assert not server.rows
    await settled(terminal)


async def test_batches_lost_and_doubled_book_everything_once(terminal: Terminal, server: FakeServer) -> None:
    await terminal.go_offline()
    for card in (AWA, BOB, STRONG, AWA):
        assert (await terminal.tap(card)).reason is None
    server.fail(SYNC, "unanswered", "lost", "twice", "500", "unanswered", "twice", "portal", "429")
    await terminal.go_online()
    await settled(terminal)
    assert len(server.kinds()) == 8
    assert server.balances[AWA]["RAF"] == 2000 - 900


# The card and the counter


async def test_a_card_that_stays_pays_once(terminal: Terminal, server: FakeServer) -> None:
    await terminal.ask()
    terminal.lay(AWA)
    await terminal.until(lambda: terminal.till.screen().phase == "paid")
    await terminal.ask()
    screen = terminal.till.screen()
    assert (screen.phase, screen.hint, screen.pending) == ("present_card", "remove_card", (Amount("RAF", 450),))
    terminal.take(AWA)
    assert terminal.till.screen().hint is None
    terminal.lay(AWA)
    await terminal.until(lambda: terminal.till.screen().phase == "paid")
    assert len(server.sold) == 2


async def test_a_card_that_lies_there_first_pays_when_it_is_asked_for(terminal: Terminal, server: FakeServer) -> None:
    terminal.lay(AWA)
    assert not server.sold
    await terminal.ask()
    await terminal.until(lambda: terminal.till.screen().phase == "paid")
    assert len(server.sold) == 1


async def test_the_result_goes_away_by_itself(terminal: Terminal) -> None:
    await terminal.tap(AWA)
    seen = 0
    async with asyncio.timeout(4):
        while terminal.till.screen().phase == "paid":
            seen = await terminal.till.wait_change(seen, 4)
    assert terminal.till.screen().phase == "ready"


async def test_cards_that_cannot_pay_are_explained_and_the_sale_waits(terminal: Terminal) -> None:
    await terminal.ask()
    terminal.till.on_reader(UnusableCard("random_uid", b"\x08\x01\x02\x03", *Moment.now()))
    assert terminal.till.screen().hint == "unusable_card"
    terminal.take("08010203")
    terminal.till.on_reader(TwoCards((b"a", b"b"), *Moment.now()))
    assert terminal.till.screen().hint == "two_cards"
    terminal.take(AWA)
    assert terminal.till.screen().phase == "present_card"
    terminal.lay(AWA)
    await terminal.until(lambda: terminal.till.screen().phase == "paid")


async def test_a_lost_reader_is_on_the_screen(terminal: Terminal) -> None:
    assert terminal.till.screen().reader == "ok"
    terminal.till.on_reader(ReaderLost("unplugged", "gone"))
    screen = terminal.till.screen()
    assert (screen.reader, screen.reader_reason) == ("lost", "unplugged")


# Commands


async def test_a_basket_taken_back_is_cancelled_and_finds_no_card(terminal: Terminal, server: FakeServer) -> None:
    sale = await terminal.ask()
    with pytest.raises(TillError, match="busy"):
        await terminal.ask()
    await terminal.till.cancel()
    terminal.lay(AWA)
    assert terminal.till.screen().phase == "ready"
    await settled(terminal)
    assert server.kinds() == ["intent", "cancel"]
    assert server.tombstones == {sale}


async def test_a_card_that_is_being_checked_can_no_longer_be_taken_back(terminal: Terminal, server: FakeServer) -> None:
    server.slow_s = 0.05
    server.fail(SALES, "slow")
    await terminal.ask()
    terminal.lay(AWA)
    assert terminal.till.screen().phase == "checking"
    with pytest.raises(TillError, match="busy"):
        await terminal.till.cancel()
    await terminal.until(lambda: terminal.till.screen().phase == "paid")


async def test_nobody_sells_without_signing_in(terminal: Terminal, server: FakeServer) -> None:
    await terminal.ask()
    await terminal.till.sign_out()
    assert terminal.till.screen().phase == "ready"
    with pytest.raises(TillError, match="not_signed_in"):
        await terminal.ask()
    with pytest.raises(TillError, match="not_signed_in"):
        await terminal.till.void(server.beer, "typo")


async def test_a_cashier_who_leaves_while_the_intent_is_written_sells_nothing(
    terminal: Terminal, server: FakeServer
) -> None:
    asking = asyncio.create_task(terminal.ask())
    await asyncio.sleep(0)
    await terminal.till.sign_out()
    with pytest.raises(TillError, match="not_signed_in"):
        await asking
    assert terminal.till.screen().phase == "ready"
    await settled(terminal)
    assert server.kinds() == ["intent", "cancel"]


async def test_two_pays_at_once_are_one_sale(terminal: Terminal, server: FakeServer) -> None:
    answers = await asyncio.gather(terminal.ask(), terminal.ask(), return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["TillError", "UUID"]


async def test_a_void_gives_the_money_back_once(terminal: Terminal, server: FakeServer) -> None:
    result = await terminal.tap(AWA)
    await terminal.till.void(result.sale, "Erreur de saisie")
    with pytest.raises(TillError, match="not_voidable"):
        await terminal.till.void(result.sale, "again")
    assert [past.voided for past in terminal.till.screen().last_sales] == [True]
    await settled(terminal)
    assert server.balances[AWA]["RAF"] == 2000
    with pytest.raises(TillError, match="not_voidable"):
        await terminal.till.void(server.beer, "typo")


async def test_a_void_offline_frees_the_card_s_limits(terminal: Terminal, server: FakeServer) -> None:
    await terminal.go_offline()
    for _ in range(7):
        result = await terminal.tap(BOB)
        assert result.reason is None
        await terminal.till.void(result.sale, "Client parti")
    await terminal.go_online()
    await settled(terminal)
    assert server.balances[BOB]["RAF"] == 300


async def test_a_card_blocked_meanwhile_is_refused_offline(terminal: Terminal, server: FakeServer) -> None:
    server.blocked.add(AWA)
    await terminal.until(lambda: terminal.shelf.book and terminal.shelf.book.card(AWA, "C").blocked)  # type: ignore[union-attr]
    await terminal.go_offline()
    assert (await terminal.tap(AWA)).reason is Refusal.CARD_BLOCKED


async def test_where_it_is_demanded_only_cards_that_prove_themselves_pay_offline(
    terminal: Terminal, server: FakeServer
) -> None:
    cards = server.limits.cards
    server.limits = server.limits.model_copy(update={"cards": {**cards, "RAF": {"A": cards["RAF"]["A"]}}})
    await terminal.until(lambda: terminal.shelf.shop and "C" not in terminal.shelf.shop.limits.cards["RAF"])
    await terminal.go_offline()
    for card, read, reason in (
        (AWA, "C", Refusal.CARD_NOT_PROVEN),
        (STRONG, "C", Refusal.CARD_NOT_PROVEN),
        (STRONG, "A", None),
    ):
        result = await terminal.tap(card, assurance=read)
        assert (result.reason, result.offline) == (reason, True)
    await terminal.go_online()
    await settled(terminal)


async def test_a_person_removed_from_the_staff_is_signed_out(terminal: Terminal, server: FakeServer) -> None:
    from app.rules.ids import uuid7  # noqa: PLC0415

    server.cashier = uuid7()
    await terminal.until(lambda: terminal.till.screen().signed_in is None)


# When the disk fails


def broken_disk(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Appends fail once `after` more were made."""
    whole = terminal.journal.append
    left = after

    async def append(*rows: object) -> int:
        nonlocal left
        if left == 0:
            raise JournalFailed("database or disk is full")
        left -= 1
        return await whole(*rows)  # type: ignore[arg-type]

    monkeypatch.setattr(terminal.journal, "append", append)


async def test_no_card_is_asked_for_when_the_intent_cannot_be_written(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_disk(terminal, monkeypatch, 0)
    with pytest.raises(TillError, match="journal_failed"):
        await terminal.ask()
    assert terminal.till.screen().phase == "ready"


@pytest.mark.parametrize("offline", [False, True])
async def test_a_sale_that_cannot_be_written_is_red_and_taken_back_later(
    terminal: Terminal, server: FakeServer, monkeypatch: pytest.MonkeyPatch, offline: bool
) -> None:
    if offline:
        await terminal.go_offline()
    broken_disk(terminal, monkeypatch, 1)
    assert (await terminal.tap(AWA)).reason is Refusal.JOURNAL_FAILED
    monkeypatch.undo()
    assert (await terminal.tap(BOB if offline else AWA)).reason is None
    await terminal.go_online()
    await settled(terminal)
    assert server.kinds() == ["intent", "cancel", "intent", "sale"]
    assert len(server.standing()) == 1


async def test_a_fault_of_our_own_is_red_and_taken_back(
    terminal: Terminal, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(terminal.shelf, "add", bug)
    assert (await terminal.tap(AWA)).reason is Refusal.INVALID
    monkeypatch.undo()
    await terminal.until(lambda: not terminal.journal.waiting)
    assert not server.standing()
    assert server.balances[AWA]["RAF"] == 2000


# Restarts


async def test_a_restart_offline_goes_on_where_it_was(tmp_path: Path, server: FakeServer) -> None:
    async with a_terminal(tmp_path, server) as terminal:
        await terminal.tap(AWA)
        await terminal.go_offline()
        for _ in range(3):
            await terminal.tap(BOB)
        left = await terminal.ask()
        before = terminal.shelf.book.unbacked["RAF"] if terminal.shelf.book else None
    async with a_terminal(tmp_path, server) as terminal:
        screen = terminal.till.screen()
        assert [past.card for past in screen.last_sales] == [BOB, BOB, BOB, AWA]
        assert (screen.online, screen.phase) == (False, "ready")
        assert terminal.shelf.book is not None
        assert terminal.shelf.book.unbacked["RAF"] == before == 3 * 450 - 300
        assert [(await terminal.tap(BOB)).reason for _ in range(3)] == [None, None, Refusal.TOO_MANY_OFFLINE]
        await terminal.go_online()
        await settled(terminal)
    assert server.tombstones == {left}


async def test_sign_in_waits_after_five_wrong_pins(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    await terminal.till.sign_out()
    guesses = await asyncio.gather(*(terminal.till.sign_in("0000") for _ in range(7)), return_exceptions=True)
    assert [str(guess) for guess in guesses] == ["wrong_pin"] * 5 + ["too_many_attempts"] * 2
    with pytest.raises(TillError, match="too_many_attempts"):
        await terminal.till.sign_in(PIN)
    now_ns = time.monotonic_ns()
    monkeypatch.setattr(terminal.till._person._staff, "_monotonic_ns", lambda: now_ns + 31 * 10**9)
    await terminal.till.sign_in(PIN)
    assert terminal.till.screen().signed_in == terminal.server.cashier


async def test_a_first_start_without_network_says_that_it_knows_nothing_yet(tmp_path: Path, server: FakeServer) -> None:
    server.fail(SNAPSHOT, *["500"] * 1000)
    async with a_terminal(tmp_path, server, sign_in=False) as terminal:
        assert terminal.till.catalogue()["products"] == []
        with pytest.raises(TillError, match="no_snapshot"):
            await terminal.till.sign_in(PIN)
        assert terminal.till.screen().venue == "La Raffinerie"
        terminal.till._person._staff.who = server.cashier
        with pytest.raises(TillError, match="no_snapshot"):
            await terminal.till.pay([BasketItem(server.beer, 1)], "RAF")


async def test_an_offline_row_says_how_much_of_it_is_not_backed(terminal: Terminal, server: FakeServer) -> None:
    await terminal.go_offline()
    await terminal.tap(BOB)
    await terminal.go_online()
    (row,) = (payload for payload in server.payloads() if isinstance(payload, SaleRow))
    assert (row.mode, row.unbacked) == ("offline", {"RAF": 150})
