"""What a card is asked for beside paying a basket, on a whole terminal against the fake server."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.rules.offline import Refusal
from readers.terminal.view import Amount, TillError
from tests.readers.sync.fake_server import AWA, FakeServer
from tests.readers.till.terminals import a_terminal

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
            it.till.require("fly")
