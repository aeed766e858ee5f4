"""A basket that several currencies, several cards or staff's own till pay: one sale, one row, and nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.rules.offline import Refusal
from app.rules.policy import Policy, Spending
from app.wire import Rest, SaleRow, Tender
from readers.terminal.commands import TillError
from readers.terminal.view import Amount, BasketItem, Offer, Result, Taken
from tests.readers.sync.fake_server import AWA, BOB, FakeServer
from tests.readers.till.terminals import Terminal, a_terminal
from tests.readers.till.test_tap import SALES, broken_disk, settled

EVERY_OFFER = ("cash", "bank_card", "second_card")


@pytest.fixture
def server() -> FakeServer:
    server = FakeServer()
    server.balances[AWA] = Counter(RAF=2000, TIME=180, GIFT=200)
    return server


@pytest.fixture
async def terminal(tmp_path: Path, server: FakeServer) -> AsyncIterator[Terminal]:
    async with a_terminal(tmp_path, server) as terminal:
        yield terminal


async def known(terminal: Terminal, uid: str) -> None:
    """Wait until the terminal's snapshot says what the server knows of a card."""
    left = {code: minor for code, minor in terminal.server.balances[uid].items() if minor}
    await terminal.until(lambda: terminal.shelf.book and terminal.shelf.book.available(uid) == left)


async def completed(terminal: Terminal, offer: Offer, uid: str | None = None) -> Result:
    await terminal.till.complete(offer)
    if uid:
        terminal.lay(uid)
    await terminal.until(lambda: terminal.till.screen().phase in ("paid", "refused"))
    if uid:
        terminal.take(uid)
    result = terminal.till.screen().result
    assert result is not None
    return result


def sales(server: FakeServer) -> list[SaleRow]:
    return [row for row in server.payloads() if isinstance(row, SaleRow)]


@pytest.mark.parametrize("offline", [False, True])
async def test_gift_money_pays_first_and_the_rest_follows(
    terminal: Terminal, server: FakeServer, offline: bool
) -> None:
    if offline:
        await terminal.go_offline()
    result = await terminal.tap(AWA)
    assert (result.reason, result.offline, result.price) == (None, offline, (Amount("RAF", 450),))
    assert result.taken == (Taken("card", "GIFT", 200, 0), Taken("card", "RAF", 250, 1750))
    await terminal.go_online()
    await settled(terminal)
    assert server.balances[AWA] == Counter(RAF=1750, TIME=180, GIFT=0)
    (row,) = sales(server)
    gift = Tender(currency="GIFT", amount=200, covers="RAF", covered=200)
    assert row.sale.tenders == (gift, Tender(currency="RAF", amount=250))


async def test_hours_pay_only_what_staff_chose_to_price_in_hours(terminal: Terminal, server: FakeServer) -> None:
    items = [BasketItem(server.beer, 2, "TIME"), BasketItem(server.beer, 1)]
    await terminal.till.pay(items, "RAF")
    assert terminal.till.screen().pending == (Amount("TIME", 60), Amount("RAF", 450))
    terminal.lay(AWA)
    await terminal.until(lambda: terminal.till.screen().phase == "paid")
    await settled_mixed(terminal)
    assert server.balances[AWA] == Counter(RAF=1750, TIME=120, GIFT=0)
    assert terminal.till.screen().last_sales[0].price == (Amount("TIME", 60), Amount("RAF", 450))


async def settled_mixed(terminal: Terminal) -> None:
    await terminal.until(lambda: terminal.link.online and not terminal.journal.waiting)


async def test_gift_money_pays_only_the_categories_that_its_policy_names(tmp_path: Path, server: FakeServer) -> None:
    server.gift_policy = Policy(spending=Spending(categories=("food",)))
    async with a_terminal(tmp_path, server) as terminal:
        result = await terminal.tap(AWA)
        assert result.taken == (Taken("card", "RAF", 450, 1550),)


@pytest.mark.parametrize("means", ["cash", "bank_card"])
async def test_what_is_missing_is_told_and_staff_take_the_rest(
    terminal: Terminal, server: FakeServer, means: Offer
) -> None:
    short = await terminal.tap(BOB)
    assert (short.reason, short.missing, short.offers) == (
        Refusal.INSUFFICIENT_FUNDS,
        (Amount("RAF", 150),),
        EVERY_OFFER,
    )
    assert server.balances[BOB]["RAF"] == 300
    # No card lies on the reader any more, and none is asked for again.
    result = await completed(terminal, means)
    assert (result.reason, result.asked, result.price) == (None, short.asked, (Amount("RAF", 450),))
    assert result.taken == (Taken("card", "RAF", 300, 0), Taken(means, "RAF", 150))
    await settled(terminal)
    assert server.kinds() == ["intent", "refused", "intent", "sale"]
    (row,) = sales(server)
    assert row.sale.tenders == (Tender(currency="RAF", amount=300),)
    assert row.sale.rest == (Rest(means=means, covers="RAF", amount=150),)
    assert terminal.till.screen().last_sales[0].rest == (Taken(means, "RAF", 150),)


@pytest.mark.parametrize("offline", [False, True])
async def test_a_second_card_pays_what_the_first_one_left(
    terminal: Terminal, server: FakeServer, offline: bool
) -> None:
    # 22.00 in gift and Rafftou against 8 beers for 36.00: above what one card may owe without network, too.
    if offline:
        await terminal.go_offline()
    server.balances["04AAAAAAAAAAAA"]["RAF"] = 10_000
    short = await terminal.tap(AWA, 8)
    assert short.missing == (Amount("RAF", 1400),)
    assert "second_card" in short.offers
    await terminal.till.complete("second_card")
    screen = terminal.till.screen()
    assert (screen.phase, screen.second_card, screen.pending) == ("present_card", True, (Amount("RAF", 1400),))
    terminal.lay(AWA)
    assert (terminal.till.screen().phase, terminal.till.screen().hint) == ("present_card", "other_card")
    terminal.take(AWA)
    terminal.lay("04AAAAAAAAAAAA", "A")
    await terminal.until(lambda: terminal.till.screen().phase in ("paid", "refused"))
    result = terminal.till.screen().result
    assert result is not None
    assert (result.reason, result.asked, result.offline) == (None, short.asked, offline)
    assert result.taken == (
        Taken("card", "GIFT", 200, 0),
        Taken("card", "RAF", 2000, 0),
        Taken("second_card", "RAF", 1400, 8600),
    )
    await terminal.go_online()
    await settled(terminal)
    assert (server.balances[AWA]["RAF"], server.balances["04AAAAAAAAAAAA"]["RAF"]) == (0, 8600)
    assert len(sales(server)) == 1


async def test_a_second_card_that_can_not_pay_leaves_the_choice_open(terminal: Terminal, server: FakeServer) -> None:
    await terminal.tap(BOB)
    refused = await completed(terminal, "second_card", "04FFFFFFFFFFFF")
    assert (refused.reason, refused.missing, refused.offers) == (
        Refusal.CARD_UNKNOWN,
        (Amount("RAF", 150),),
        EVERY_OFFER,
    )
    assert (await completed(terminal, "second_card", AWA)).reason is None
    await settled(terminal)
    assert (server.balances[BOB]["RAF"], server.balances[AWA]) == (0, Counter(RAF=2000, TIME=180, GIFT=50))


async def test_two_cards_and_cash_pay_together(terminal: Terminal, server: FakeServer) -> None:
    server.balances[AWA] = Counter(RAF=100)
    await known(terminal, AWA)
    await terminal.tap(BOB)
    short = await completed(terminal, "second_card", AWA)
    assert (short.missing, short.offers) == ((Amount("RAF", 50),), ("cash", "bank_card"))
    result = await completed(terminal, "cash")
    assert [(part.means, part.minor) for part in result.taken] == [("card", 300), ("second_card", 100), ("cash", 50)]
    await settled(terminal)
    assert (server.balances[BOB]["RAF"], server.balances[AWA]["RAF"]) == (0, 0)


async def test_an_empty_card_is_refused_and_nothing_is_offered(terminal: Terminal, server: FakeServer) -> None:
    server.balances[BOB]["RAF"] = 0
    await terminal.until(lambda: terminal.shelf.book and not terminal.shelf.book.available(BOB))
    result = await terminal.tap(BOB)
    assert (result.reason, result.offers) == (Refusal.INSUFFICIENT_FUNDS, ())
    with pytest.raises(TillError, match="not_offered"):
        await terminal.till.complete("cash")


async def test_hours_that_are_missing_can_not_be_paid_in_cash(terminal: Terminal, server: FakeServer) -> None:
    result = await terminal.tap(AWA, 7, "TIME")
    assert (result.missing, result.offers) == ((Amount("TIME", 30),), ("second_card",))


# The terminal's view was wrong


async def test_a_top_up_that_the_terminal_does_not_know_of_yet_pays(terminal: Terminal, server: FakeServer) -> None:
    server.balances[BOB]["RAF"] = 1000
    assert (await terminal.tap(BOB)).reason is None
    await settled(terminal)


@pytest.fixture
async def unaware(tmp_path: Path, server: FakeServer) -> AsyncIterator[Terminal]:
    """A terminal whose snapshot stays as it was at the start."""
    from readers.sync import Pace  # noqa: PLC0415

    async with a_terminal(tmp_path, server, pace=Pace(snapshot_s=3600)) as terminal:
        yield terminal


async def test_a_wrong_view_is_split_anew_by_what_the_server_says_under_a_new_id(
    unaware: Terminal, server: FakeServer
) -> None:
    server.balances[AWA] = Counter(RAF=2000, GIFT=20)
    asked = await unaware.ask()
    unaware.lay(AWA)
    await unaware.until(lambda: unaware.till.screen().phase == "paid")
    result = unaware.till.screen().result
    assert result is not None
    assert (result.asked, result.sale == asked) == (asked, False)
    assert result.taken == (Taken("card", "GIFT", 20, 0), Taken("card", "RAF", 430, 1570))
    assert unaware.till.screen().last_sales[0].asked == asked
    await settled(unaware)
    assert server.kinds() == ["intent", "refused", "intent", "sale"]
    assert (server.calls[SALES], server.tombstones) == (2, set())


async def test_a_wrong_view_that_leaves_too_little_says_what_is_really_missing(
    unaware: Terminal, server: FakeServer
) -> None:
    server.balances[AWA] = Counter(RAF=100, GIFT=20)
    short = await unaware.tap(AWA)
    assert (short.missing, server.calls[SALES]) == ((Amount("RAF", 330),), 1)
    assert {one.currency: one.minor for one in short.balances or ()}["RAF"] == 100


async def test_the_rest_that_staff_were_told_never_changes_by_itself(unaware: Terminal, server: FakeServer) -> None:
    assert (await unaware.tap(BOB)).missing == (Amount("RAF", 150),)
    server.balances[BOB]["RAF"] = 200
    again = await completed(unaware, "cash")
    assert (again.reason, again.missing) == (Refusal.INSUFFICIENT_FUNDS, (Amount("RAF", 250),))
    assert not server.sold
    assert (await completed(unaware, "cash")).taken == (Taken("card", "RAF", 200, 0), Taken("cash", "RAF", 250))
    await settled(unaware)


async def test_money_at_its_spending_limit_leaves_the_rest_to_others(terminal: Terminal, server: FakeServer) -> None:
    server.limited = {AWA: "RAF"}
    short = await terminal.tap(AWA)
    assert (short.reason, short.missing, short.offers) == (
        Refusal.SPENDING_LIMIT,
        (Amount("RAF", 250),),
        EVERY_OFFER,
    )
    result = await completed(terminal, "bank_card")
    assert result.taken == (Taken("card", "GIFT", 200, 0), Taken("bank_card", "RAF", 250))
    await settled(terminal)


async def test_rules_that_changed_are_fetched_at_once(unaware: Terminal, server: FakeServer) -> None:
    server.gift_policy = Policy(spending=Spending(categories=("food",)))
    server.gift_refused = True
    assert (await unaware.tap(AWA)).reason is Refusal.TENDER_NOT_ALLOWED
    # The pace is an hour, so only the refusal can bring the new rules.
    await unaware.until(
        lambda: unaware.shelf.shop and unaware.shelf.shop.snapshot.currencies[2].policy == server.gift_policy
    )
    assert (await unaware.tap(AWA)).taken == (Taken("card", "RAF", 450, 1550),)


async def test_a_server_that_tells_no_balances_is_believed_all_the_same(unaware: Terminal, server: FakeServer) -> None:
    server.tells_balances = False
    server.balances[AWA] = Counter(RAF=100)
    result = await unaware.tap(AWA)
    assert (result.reason, result.offers) == (Refusal.INSUFFICIENT_FUNDS, ())
    assert not server.sold


async def test_a_split_whose_answer_is_lost_is_booked_once_as_it_was_sent(
    terminal: Terminal, server: FakeServer
) -> None:
    server.fail(SALES, "unanswered", "unanswered")
    result = await terminal.tap(AWA)
    assert (result.reason, result.offline) == (None, True)
    await settled(terminal)
    assert server.balances[AWA] == Counter(RAF=1750, TIME=180, GIFT=0)


# Offline


async def test_offline_a_terminal_still_trusts_a_card_within_its_limits(terminal: Terminal, server: FakeServer) -> None:
    await terminal.go_offline()
    result = await terminal.tap(BOB)
    assert (result.reason, result.missing, result.offers) == (None, (), ())
    await terminal.go_online()
    (row,) = sales(server)
    assert row.unbacked == {"RAF": 150}


async def test_beyond_the_offline_limits_staff_may_take_what_the_card_is_not_known_to_hold(
    terminal: Terminal, server: FakeServer
) -> None:
    await terminal.go_offline()
    short = await terminal.tap(BOB, 7)
    assert (short.reason, short.missing) == (Refusal.OVER_SALE_LIMIT, (Amount("RAF", 2850),))
    result = await completed(terminal, "cash")
    assert (result.reason, result.offline) == (None, True)
    await terminal.go_online()
    await settled(terminal)
    assert (server.balances[BOB]["RAF"], sales(server)[0].unbacked) == (0, {})


async def test_a_second_card_pays_what_the_terminal_may_not_risk_on_the_first(
    tmp_path: Path, server: FakeServer
) -> None:
    server.limits = server.limits.model_copy(update={"per_terminal": {"RAF": 100, "TIME": 0, "GIFT": 0}})
    async with a_terminal(tmp_path, server) as terminal:
        await terminal.go_offline()
        assert (await terminal.tap(BOB)).reason is Refusal.OVER_TERMINAL_LIMIT
        assert (await completed(terminal, "second_card", AWA)).reason is None
        assert terminal.shelf.book is not None
        assert terminal.shelf.book.unbacked["RAF"] == 0
        assert terminal.shelf.book.available(BOB) == {"RAF": 0}


async def test_each_card_keeps_its_own_offline_limits(terminal: Terminal, server: FakeServer) -> None:
    await terminal.go_offline()
    # 12 beers: 22.00 from the first card, and 32.00 are more than any card may pay at once without network.
    assert (await terminal.tap(AWA, 12)).reason is Refusal.OVER_SALE_LIMIT
    refused = await completed(terminal, "second_card", BOB)
    assert (refused.reason, refused.missing) == (Refusal.OVER_SALE_LIMIT, (Amount("RAF", 2900),))
    assert refused.offers == ("cash", "bank_card")


# What goes wrong in between


async def test_what_one_person_left_open_is_not_for_the_next_one_to_charge(
    terminal: Terminal, server: FakeServer
) -> None:
    await terminal.tap(BOB)
    await terminal.till.sign_out()
    await terminal.till.sign_in("2468")
    assert terminal.till.screen().phase == "ready"
    with pytest.raises(TillError, match="not_offered"):
        await terminal.till.complete("cash")
    await settled(terminal)
    assert not server.sold


async def test_a_rest_that_was_put_away_meanwhile_charges_nothing(terminal: Terminal, server: FakeServer) -> None:
    import asyncio  # noqa: PLC0415

    await terminal.tap(BOB)
    completing = asyncio.create_task(terminal.till.complete("cash"))
    await asyncio.sleep(0)
    await terminal.till.dismiss()
    with pytest.raises(TillError, match="not_offered"):
        await completing
    await settled(terminal)
    assert (server.sold, server.kinds()) == ({}, ["intent", "refused", "intent", "cancel"])


async def test_a_second_card_that_never_comes_is_cancelled(terminal: Terminal, server: FakeServer) -> None:
    await terminal.tap(BOB)
    await terminal.till.complete("second_card")
    await terminal.till.cancel()
    assert terminal.till.screen().phase == "ready"
    await settled(terminal)
    assert server.kinds() == ["intent", "refused", "intent", "cancel"]


async def test_a_split_that_can_not_be_written_is_red_and_taken_back(
    unaware: Terminal, server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.balances[AWA] = Counter(RAF=2000)
    # The intent and the new split are written; the sale that the server has booked by then is not.
    broken_disk(unaware, monkeypatch, 2)
    assert (await unaware.tap(AWA)).reason is Refusal.JOURNAL_FAILED
    monkeypatch.undo()
    assert (await unaware.tap("04AAAAAAAAAAAA")).reason is None
    await settled(unaware)
    assert server.balances[AWA]["RAF"] == 2000


async def test_a_void_of_a_split_sale_gives_each_currency_back(terminal: Terminal, server: FakeServer) -> None:
    result = await terminal.tap(AWA)
    await terminal.till.void(result.sale, "Erreur de saisie")
    await settled(terminal)
    assert server.balances[AWA] == Counter(RAF=2000, TIME=180, GIFT=200)


async def test_a_restart_knows_what_each_card_paid(tmp_path: Path, server: FakeServer) -> None:
    async with a_terminal(tmp_path, server) as terminal:
        await terminal.go_offline()
        await terminal.tap(AWA)
        before = terminal.shelf.book.available(AWA) if terminal.shelf.book else None
    async with a_terminal(tmp_path, server) as terminal:
        assert terminal.shelf.book is not None
        assert terminal.shelf.book.available(AWA) == before == {"GIFT": 0, "RAF": 1750, "TIME": 180}
        await terminal.go_online()
        await settled(terminal)
