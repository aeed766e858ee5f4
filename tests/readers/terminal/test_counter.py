"""The counter: one card acts once for each time it is laid down, and a result can be read."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.rules.offline import Refusal
from readers.terminal.counter import RESULT_NS_MAX, RESULT_NS_MIN, Card, Counter, Pending
from readers.terminal.shop import Basket
from readers.terminal.view import Result

ID = UUID("01900000-0000-7000-8000-000000000001")
PENDING = Pending(ID, Basket((), "RAF", 450), ID)
AWA, BOB = Card("04A1B2C3D4E580", "C"), Card("04000000000001", "C")
NOW = 10**12


def result(reason: Refusal | None = None) -> Result:
    return Result(ID, AWA.uid, "RAF", 450, reason, False, None, 1)


def paid(card: Card = AWA) -> Counter:
    return Counter().ask(PENDING).seen(card).check().conclude(result(), NOW)


def test_a_card_on_the_reader_is_checked_only_when_a_sale_waits_for_one() -> None:
    lying = Counter().seen(AWA)
    assert lying.may_check is None
    assert lying.ask(PENDING).may_check == AWA
    assert Counter().ask(PENDING).may_check is None


def test_a_card_that_is_being_checked_is_not_checked_again() -> None:
    assert Counter().ask(PENDING).seen(AWA).check().may_check is None


def test_a_card_that_paid_must_leave_before_it_pays_again() -> None:
    following = paid().ask(PENDING)
    assert (following.may_check, following.hint) == (None, "remove_card")
    away = following.gone(NOW)
    assert (away.may_check, away.hint) == (None, None)
    assert away.seen(AWA).may_check == AWA


def test_a_card_that_was_refused_must_leave_too() -> None:
    refused = Counter().ask(PENDING).seen(AWA).check().conclude(result(Refusal.INSUFFICIENT_FUNDS), NOW)
    assert refused.phase == "refused"
    assert refused.ask(PENDING).may_check is None


def test_a_result_stays_while_the_card_lies_there_but_three_seconds_at_most() -> None:
    assert paid().at(NOW + RESULT_NS_MAX - 1).phase == "paid"
    assert paid().at(NOW + RESULT_NS_MAX).phase == "ready"


def test_a_result_can_be_read_even_if_the_card_leaves_at_once() -> None:
    gone = paid().gone(NOW + 1)
    assert gone.phase == "paid"
    assert gone.at(NOW + RESULT_NS_MIN - 1).phase == "paid"
    assert gone.at(NOW + RESULT_NS_MIN).phase == "ready"
    assert paid().gone(NOW + RESULT_NS_MIN).phase == "ready"


def test_the_next_sale_may_begin_while_a_result_is_shown_and_not_while_one_waits() -> None:
    assert paid().free
    assert Counter().free
    assert not Counter().ask(PENDING).free
    assert not Counter().ask(PENDING).seen(AWA).check().free


def test_the_timer_of_an_old_result_does_not_end_the_next_sale() -> None:
    following = paid().gone(NOW).ask(PENDING)
    assert following.at(NOW + RESULT_NS_MAX) == following


def test_a_withdrawn_basket_finds_no_card() -> None:
    assert Counter().ask(PENDING).withdraw().seen(AWA).may_check is None


@pytest.mark.parametrize("trouble", ["unusable_card", "two_cards"])
def test_trouble_on_the_reader_is_shown_and_nothing_is_charged_until_it_is_gone(trouble: str) -> None:
    waiting = Counter().ask(PENDING).troubled(trouble)  # type: ignore[arg-type]
    assert (waiting.hint, waiting.may_check) == (trouble, None)
    assert waiting.gone(NOW).hint is None
    assert waiting.gone(NOW).seen(BOB).may_check == BOB


def test_a_dismissed_result_leaves_the_card_spent() -> None:
    assert paid().dismiss().ask(PENDING).hint == "remove_card"
    assert Counter().ask(PENDING).dismiss().phase == "present_card"
