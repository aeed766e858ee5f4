"""The counter: one card acts once for each time it is laid down, and a result can be read."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from app.rules.offline import Refusal
from readers.terminal.counter import LOOK_NS, RESULT_NS_MAX, RESULT_NS_MIN, Ask, Card, Counter, Held, Pending
from readers.terminal.shop import Basket
from readers.terminal.view import Amount, CardTold, Result

ID = UUID("01900000-0000-7000-8000-000000000001")
PENDING = Pending(ID, Basket((), (), {"RAF": 450}, (), "bar"), ID, ID)
AWA, BOB = Card("04A1B2C3D4E580", "C"), Card("04000000000001", "C")
NOW = 10**12


def result(reason: Refusal | None = None) -> Result:
    return Result(ID, ID, AWA.uid, (Amount("RAF", 450),), reason, False, None, 1)


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


@pytest.mark.parametrize("lies", [True, False])
def test_what_a_card_tells_can_be_read_whether_it_lies_there_or_not(lies: bool) -> None:
    looked = replace(result(), act="balance", told=CardTold(()))
    told = Counter().ask(Ask(ID, "balance", None, ID, looks=True)).seen(AWA).check().conclude(looked, NOW)
    told = told if lies else told.gone(NOW + 1)
    assert told.at(NOW + LOOK_NS - 1).phase == "paid"
    assert told.at(NOW + LOOK_NS).phase == "ready"


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


# A card that does not hold enough


REST = replace(PENDING, first=(Held(AWA, {"RAF": 300}),), missing=(Amount("RAF", 150),))


def short() -> Counter:
    asked = Counter().ask(PENDING).seen(AWA).check()
    return asked.conclude(result(Refusal.INSUFFICIENT_FUNDS), NOW, REST)


def test_what_staff_can_do_something_about_stays_until_they_do() -> None:
    assert short().gone(NOW + RESULT_NS_MAX).at(NOW + 10 * RESULT_NS_MAX).phase == "refused"
    away = short().dismiss()
    assert (away.phase, away.open) == ("ready", None)


def test_when_staff_take_the_rest_the_card_pays_without_being_shown_again() -> None:
    going_on = short().gone(NOW).go_on(REST)
    assert (going_on.phase, going_on.open, going_on.pending) == ("checking", None, REST)


def test_a_card_that_lies_there_meanwhile_is_not_taken_for_the_one_that_pays() -> None:
    paid_by_rest = short().gone(NOW).seen(BOB).go_on(REST).conclude(result(), NOW)
    assert paid_by_rest.ask(PENDING).may_check == BOB


def test_a_second_card_is_another_card() -> None:
    asked = short().ask(REST)
    assert (asked.hint, asked.may_check) == ("remove_card", None)
    again = asked.gone(NOW).seen(AWA)
    assert (again.hint, again.may_check) == ("other_card", None)
    assert asked.gone(NOW).seen(BOB).may_check == BOB
    assert asked.gone(NOW).hint is None


def test_the_next_customer_s_basket_knows_nothing_of_the_one_left_open() -> None:
    following = short().gone(NOW).ask(PENDING)
    assert following.open is None
    assert following.seen(AWA).may_check == AWA


def test_a_card_that_left_too_soon_is_waited_for_and_acts_anew() -> None:
    left = Counter().ask(PENDING).seen(AWA).check().gone(NOW).ask_again(PENDING)
    assert (left.phase, left.hint, left.may_check) == ("present_card", "card_left", None)
    assert left.seen(AWA).may_check == AWA
    assert left.seen(AWA).check().hint is None
    assert left.troubled("two_cards").hint == "two_cards"
    lies = Counter().ask(PENDING).seen(AWA).check().ask_again(PENDING)
    assert (lies.hint, lies.may_check) == ("remove_card", None)
    assert lies.gone(NOW).hint == "card_left"
    assert left.withdraw().ask(PENDING).hint is None
