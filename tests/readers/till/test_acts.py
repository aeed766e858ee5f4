"""What a card is asked for beside paying a basket, on a whole terminal against the fake server."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.rules.offline import Refusal
from app.rules.policy import Policy, Redeem, Spending
from app.wire import TopUpRow, read_payload
from readers.journal import JournalFailed
from readers.sync import Pace
from readers.terminal.commands import TillError
from readers.terminal.view import Amount, CardTold, Result, Spendable
from tests.readers.sync.fake_server import AWA, BOB, PIN, STRONG, FakeServer
from tests.readers.till.terminals import Terminal, a_terminal

UID = AWA


@pytest.fixture
def server() -> FakeServer:
    return FakeServer()


async def refused(awaitable: object) -> str:
    with pytest.raises(TillError) as caught:
        await awaitable  # type: ignore[misc]
    return caught.value.reason


async def test_a_balance_is_read_without_a_row_and_the_same_card_may_pay_next(
    tmp_path: Path, server: FakeServer
) -> None:
    async with a_terminal(tmp_path, server) as it:
        head = it.journal.head
        await it.till.act("balance", {})
        assert (it.till.screen().phase, it.till.screen().act) == ("present_card", "balance")
        it.lay(UID)
        await it.until(lambda: it.till.screen().result)
        result = it.till.screen().result
        assert result is not None
        assert (result.reason, result.act, result.balances) == (
            None,
            "balance",
            (Amount("RAF", 2000), Amount("TIME", 180)),
        )
        assert it.journal.head == head
        await it.till.dismiss()
        await it.ask()
        await it.until(lambda: it.till.screen().phase == "paid")
        assert it.till.screen().result.act is None  # type: ignore[union-attr]


async def test_offline_the_last_known_balance_is_told_less_what_was_sold_since(
    tmp_path: Path, server: FakeServer
) -> None:
    async with a_terminal(tmp_path, server) as it:
        await it.go_offline()
        sold = await it.tap(UID)
        await it.till.dismiss()
        await it.till.act("balance", {})
        it.lay(UID)
        await it.until(lambda: it.till.screen().result)
        result = it.till.screen().result
        assert result is not None
        assert result.offline, "as last known"
        assert result.balances == (Amount("RAF", 2000 - sold.price[0].minor), Amount("TIME", 180))


async def told(it: Terminal) -> CardTold:
    return await told_of(it, UID)


async def test_a_look_tells_where_it_is_spent_and_what_was_last_credited_here(
    tmp_path: Path, manager: FakeServer
) -> None:
    manager.rights = (*manager.rights, "void")
    manager.raf_policy = Policy(spending=Spending(categories=("Bar",)))
    async with a_terminal(tmp_path, manager) as it:
        assert await told(it) == CardTold((Spendable("GIFT"), Spendable("TIME"), Spendable("RAF", ("Bar",))))
        wish: dict[str, object] = {"currency": "TIME", "amount": 120, "reason": "vaisselle"}
        await done(it, "credit", wish)
        await done(it, "credit", {**wish, "amount": 30, "reason": "bar"})
        (last,) = (await told(it)).credited
        assert (last.currency, last.minor, last.reason) == ("TIME", 30, "bar")
        assert (await told_of(it, BOB)).credited == ()
        await it.until(lambda: not it.journal.waiting)
        await it.till.void(it.till.screen().last_sales[0].sale, "wrong card")
        assert [one.minor for one in (await told(it)).credited] == [120], "the one before is the last again"
        await it.until(lambda: not it.journal.waiting)
    # After a restart, and without network: as the journal has it, with the age of the balances.
    manager.down = True
    async with a_terminal(tmp_path, manager) as it:
        looked = await told(it)
        assert [one.reason for one in looked.credited] == ["vaisselle"]
        assert looked.age_s is not None


async def told_of(it: Terminal, uid: str) -> CardTold:
    result = await done(it, "balance", {}, uid)
    assert result.told is not None
    return result.told


async def test_an_unknown_card_and_a_withdrawn_question_change_nothing(tmp_path: Path, server: FakeServer) -> None:
    async with a_terminal(tmp_path, server) as it:
        head = it.journal.head
        await it.till.act("balance", {})
        await it.till.cancel()
        assert it.till.screen().phase == "ready"
        await it.till.act("balance", {})
        it.lay("04FFFFFFFFFFFF")
        await it.until(lambda: it.till.screen().phase == "refused")
        assert it.till.screen().result.reason is Refusal.CARD_UNKNOWN  # type: ignore[union-attr]
        assert it.journal.head == head


async def test_an_act_needs_somebody_signed_in_and_a_free_counter(tmp_path: Path, server: FakeServer) -> None:
    async with a_terminal(tmp_path, server) as it:
        assert await refused(it.till.act("dance", {})) == "unknown_act"
        await it.ask()
        assert await refused(it.till.act("balance", {})) == "busy"
        await it.till.cancel()
        await it.till.sign_out()
        assert await refused(it.till.act("balance", {})) == "not_signed_in"


async def test_who_lacks_a_right_is_told_and_the_screen_knows_the_rights(tmp_path: Path, server: FakeServer) -> None:
    async with a_terminal(tmp_path, server) as it:
        assert it.till.screen().rights == ("sell",)
        with pytest.raises(TillError, match="no_right"):
            it.till._person.require("fly")


TOP_UP = {"currency": "RAF", "amount": 1500, "means": "cash"}
ACTS = "/api/v1/terminals/acts"


@pytest.fixture
def manager(server: FakeServer) -> FakeServer:
    server.rights = ("sell", "top_up", "refund", "credit")
    return server


async def done(it: Terminal, name: str, wish: dict[str, object], uid: str = UID) -> Result:
    await it.till.act(name, wish)
    it.lay(uid)
    await it.until(lambda: it.till.screen().phase in ("paid", "refused"))
    it.take(uid)
    result = it.till.screen().result
    assert result is not None
    await it.till.dismiss()
    return result


async def test_a_top_up_is_green_once_its_row_is_written(tmp_path: Path, manager: FakeServer) -> None:
    async with a_terminal(tmp_path, manager) as it:
        result = await done(it, "top_up", TOP_UP)
        assert (result.reason, result.price) == (None, (Amount("RAF", 1500),))
        assert result.balances == (Amount("RAF", 3500), Amount("TIME", 180))
        await it.until(lambda: not it.journal.waiting)
        assert manager.kinds() == ["intent", "top_up"]
        assert manager.balances[UID]["RAF"] == 3500
        await it.until(lambda: it.shelf.book and it.shelf.book.available(UID)["RAF"] == 3500)  # type: ignore[index]


async def test_what_was_put_on_a_card_counts_before_the_next_snapshot(tmp_path: Path, manager: FakeServer) -> None:
    async with a_terminal(tmp_path, manager, pace=Pace(snapshot_s=60, retry_s_min=0.02, retry_s_max=0.1)) as it:
        await done(it, "top_up", TOP_UP)
        assert it.shelf.book.available(UID)["RAF"] == 3500  # type: ignore[union-attr, index]


async def test_without_an_answer_a_top_up_is_taken_back_and_never_kept(tmp_path: Path, manager: FakeServer) -> None:
    async with a_terminal(tmp_path, manager) as it:
        manager.fail(ACTS, "unanswered", "unanswered")
        result = await done(it, "top_up", TOP_UP)
        assert result.reason is Refusal.NO_ANSWER
        await it.until(lambda: manager.kinds()[-1:] == ["cancel"])
        assert manager.kinds() == ["intent", "refused", "cancel"]
        assert manager.balances[UID]["RAF"] == 2000, "the server had booked it"
        await it.until(lambda: it.link.online)
        assert (await done(it, "top_up", TOP_UP)).reason is None


async def test_a_journal_that_cannot_be_written_shows_no_green(
    tmp_path: Path, manager: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_terminal(tmp_path, manager) as it:
        append = it.journal.append

        async def full(*rows: object) -> int:
            if rows[0].kind in ("top_up", "cancel"):  # type: ignore[attr-defined]
                raise JournalFailed("disk full")
            return await append(*rows)  # type: ignore[arg-type]

        monkeypatch.setattr(it.journal, "append", full)
        assert (await done(it, "top_up", TOP_UP)).reason is Refusal.JOURNAL_FAILED
        monkeypatch.undo()
        # The cancel is owed: it goes with the next intent.
        await it.tap(UID)
        await it.until(lambda: not it.journal.waiting)
        assert manager.balances[UID]["RAF"] == 2000 - 450


async def test_a_crash_before_the_row_takes_the_act_back(tmp_path: Path, manager: FakeServer) -> None:
    async with a_terminal(tmp_path, manager) as it:
        await it.till.act("top_up", TOP_UP)
        (intent,) = await it.journal.rows_after(0, 10, 10**6)
        row = TopUpRow(
            **{**TOP_UP, "mode": "online", "card": UID, "cashier": manager.cashier, "at_us": 1},
            id=read_payload(intent.payload).subject,
        )
        manager.act(row)
    async with a_terminal(tmp_path, manager) as it:
        await it.until(lambda: not it.journal.waiting)
        assert manager.kinds() == ["intent", "cancel"]
        assert manager.balances[UID]["RAF"] == 2000


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        ((403, "forbidden"), Refusal.FORBIDDEN),
        ((409, "daily-cap"), Refusal.DAILY_CAP),
        ((422, "amount-out-of-range"), Refusal.AMOUNT_OUT_OF_RANGE),
        ((409, "terminals-away"), Refusal.TERMINALS_AWAY),
        ((422, "what-ever"), Refusal.INVALID),
    ],
)
async def test_a_refusal_is_told_and_nothing_else_is_written(
    tmp_path: Path, manager: FakeServer, problem: tuple[int, str], reason: Refusal
) -> None:
    manager.act_refusal = problem
    async with a_terminal(tmp_path, manager) as it:
        assert (await done(it, "top_up", TOP_UP)).reason is reason
        await it.until(lambda: not it.journal.waiting)
        assert manager.kinds() == ["intent", "refused"]
        assert it.link.online


async def test_hours_are_credited_with_their_reason(tmp_path: Path, manager: FakeServer) -> None:
    async with a_terminal(tmp_path, manager) as it:
        wish: dict[str, object] = {"currency": "TIME", "amount": 120, "reason": "vaisselle"}
        assert (await done(it, "credit", wish)).balances == (Amount("TIME", 300), Amount("RAF", 2000))
        await it.until(lambda: not it.journal.waiting)
        assert manager.payloads()[-1].reason == "vaisselle"
        assert await refused(it.till.act("credit", {**wish, "currency": "RAF"})) == "not_allowed"


async def test_a_card_is_emptied_where_the_rules_pay_holders(tmp_path: Path, manager: FakeServer) -> None:
    async with a_terminal(tmp_path, manager) as it:
        assert await refused(it.till.act("refund", {"currency": "RAF"})) == "not_allowed"
    manager.raf_policy = Policy(redeem=Redeem(who=("holders",)))
    async with a_terminal(tmp_path, manager) as it:
        result = await done(it, "refund", {"currency": "RAF"})
        assert (result.price, result.balances) == ((Amount("RAF", 2000),), (Amount("RAF", 0), Amount("TIME", 180)))
        assert (await done(it, "refund", {"currency": "RAF"})).reason is Refusal.INSUFFICIENT_FUNDS
        assert manager.balances[UID]["RAF"] == 0


@pytest.mark.parametrize("name", ["top_up", "refund", "credit"])
async def test_money_acts_need_their_right_and_the_network(tmp_path: Path, server: FakeServer, name: str) -> None:
    wish = {**TOP_UP, "reason": "x"}
    async with a_terminal(tmp_path, server) as it:
        assert await refused(it.till.act(name, wish)) == "no_right"
    server.rights = (name,)
    async with a_terminal(tmp_path, server) as it:
        assert await refused(it.till.act(name, {"currency": "RAF", "amount": -5})) == "wrong_amount"
        await it.go_offline()
        assert await refused(it.till.act(name, wish)) == "only_online"
        assert it.journal.head == 0


async def test_a_staff_card_says_whose_pin_is_asked_for(tmp_path: Path, server: FakeServer) -> None:
    server.staff_card, server.pin_only = STRONG, False
    async with a_terminal(tmp_path, server, sign_in=False) as it:
        await it.until(lambda: it.shelf.shop)
        assert it.till.screen().card_first
        assert await refused(it.till.sign_in(PIN)) == "card_first"
        it.lay(UID)
        assert not it.till.screen().badge, "a customer's card is none"
        it.lay(STRONG)
        assert it.till.screen().badge
        it.take(STRONG)
        assert await refused(it.till.sign_in("0000")) == "wrong_pin"
        await it.till.sign_in(PIN)
        assert it.till.screen().signed_in == server.cashier
        await it.till.sign_out()
        assert await refused(it.till.sign_in(PIN)) == "card_first"


async def test_cash_goes_on_a_card_without_network_where_the_network_lets_it(
    tmp_path: Path, manager: FakeServer
) -> None:
    manager.limits = manager.limits.model_copy(update={"top_ups": {"RAF": (500, 5000)}})
    async with a_terminal(tmp_path, manager) as it:
        assert it.till.screen().offline_acts == ("balance", "top_up")
        await it.go_offline()
        result = await done(it, "top_up", TOP_UP)
        assert (result.reason, result.offline, result.balances) == (
            None,
            True,
            (Amount("RAF", 3500), Amount("TIME", 180)),
        )
        # It is on the card here: a sale of it is no risk.
        assert (await it.tap(UID, 6)).reason is None
        assert it.shelf.book.unbacked["RAF"] == 0  # type: ignore[union-attr]
        assert (await done(it, "top_up", {**TOP_UP, "amount": 5001})).reason is Refusal.AMOUNT_OUT_OF_RANGE
        assert (await done(it, "top_up", TOP_UP, "04FFFFFFFFFF01")).reason is Refusal.CARD_UNKNOWN
        await it.till.dismiss()
        with pytest.raises(TillError, match="only_online"):
            await it.till.act("refund", {"currency": "RAF"})
        await it.go_online()
        assert "top_up" in manager.kinds()


async def test_a_top_up_that_got_no_answer_stands_where_the_network_lets_it(
    tmp_path: Path, manager: FakeServer
) -> None:
    """The server may have booked it: the row has the same id, so it is booked once."""
    manager.limits = manager.limits.model_copy(update={"top_ups": {"RAF": (500, 5000)}})
    async with a_terminal(tmp_path, manager) as it:
        manager.fail(ACTS, "unanswered", "unanswered")
        result = await done(it, "top_up", TOP_UP)
        assert (result.reason, result.offline) == (None, True)
        await it.until(lambda: it.link.online and not it.journal.waiting)
        assert manager.kinds() == ["intent", "top_up"]
        assert manager.balances[UID]["RAF"] == 3500


async def test_the_screen_says_why_no_card_may_pay(tmp_path: Path, server: FakeServer) -> None:
    server.limits = server.limits.model_copy(update={"snapshot_stop_s": 0, "snapshot_warn_s": 0})
    async with a_terminal(tmp_path, server) as it:
        assert it.till.screen().no_cards is None
        await it.go_offline()
        assert (it.till.screen().no_cards, it.till.screen().lowered) == (Refusal.SNAPSHOT_TOO_OLD, False)
        assert (await it.tap(UID)).reason is Refusal.SNAPSHOT_TOO_OLD


async def test_within_lower_limits_it_sells_less(tmp_path: Path, server: FakeServer) -> None:
    server.limits = server.limits.model_copy(
        update={"snapshot_stop_s": 0, "snapshot_warn_s": 0, "lowered_percent": 25, "unknown_cards": True}
    )
    async with a_terminal(tmp_path, server) as it:
        await it.go_offline()
        assert (it.till.screen().no_cards, it.till.screen().lowered) == (None, True)
        # 30.00 a sale became 7.50: one beer of 4.50 may be sold, two may not.
        assert (await it.tap(UID, 2)).reason is Refusal.OVER_SALE_LIMIT
        await it.till.dismiss()
        assert (await it.tap(UID)).reason is None
        assert (await it.tap("04FFFFFFFFFF01")).reason is None
        assert it.shelf.book.unbacked["RAF"] == 450  # type: ignore[union-attr]
