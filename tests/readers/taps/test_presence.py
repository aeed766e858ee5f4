"""When a card is seen and when it is gone, poll by poll."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readers.taps import CardEvent, CardGone, CardSeen, Moment, Presence, TwoCards, UnusableCard

A, B = bytes.fromhex("04a1b2c3d4e580"), bytes.fromhex("04a1b2c3d4e581")
PHONE, PHONE_AGAIN = bytes.fromhex("08123456"), bytes.fromhex("08fedcba")
NOBODY = None


def polls(presence: Presence, *answers: bytes | None) -> list[CardEvent]:
    events: list[CardEvent] = []
    for number, answer in enumerate(answers, start=1):
        at = Moment(number, number * 1000)
        events += presence.empty(at) if answer is None else presence.answered(answer, at)
    return events


def seen(uid: bytes, poll: int) -> CardSeen:
    return CardSeen(uid, "C", poll, poll * 1000)


def gone(uid: bytes, poll: int) -> CardGone:
    return CardGone(uid, poll, poll * 1000)


def test_a_card_is_seen_at_its_first_answer_and_not_again_while_it_stays() -> None:
    assert polls(Presence(), NOBODY, A, A, A, A) == [seen(A, 2)]


def test_a_card_that_misses_single_polls_stays() -> None:
    assert polls(Presence(), A, NOBODY, A, NOBODY, A, A, NOBODY, A) == [seen(A, 1)]


def test_a_card_is_gone_after_two_empty_polls_and_may_then_be_seen_again() -> None:
    assert polls(Presence(), A, NOBODY, NOBODY, NOBODY, A) == [seen(A, 1), gone(A, 3), seen(A, 5)]


def test_another_card_is_seen_after_the_first_has_gone() -> None:
    assert polls(Presence(), A, NOBODY, NOBODY, B) == [seen(A, 1), gone(A, 3), seen(B, 4)]


def test_a_card_swapped_by_a_quick_hand_is_seen_once_it_answers_steadily() -> None:
    assert polls(Presence(), A, B, B, B, B) == [seen(A, 1), gone(A, 5), seen(B, 5)]


def test_two_cards_that_answer_in_turn_are_told_once_and_neither_is_seen_until_both_have_left() -> None:
    presence = Presence()
    assert polls(presence, A, B, A, B, B, B, B, B, A) == [seen(A, 1), TwoCards((A, B), 3, 3000)]
    assert polls(presence, NOBODY, NOBODY, B) == [gone(A, 2), seen(B, 3)]


def test_a_phone_whose_uid_changes_at_every_poll_is_one_unusable_card() -> None:
    events = polls(Presence(), PHONE, PHONE_AGAIN, PHONE, NOBODY, NOBODY)
    assert events == [UnusableCard("random_uid", PHONE, 1, 1000), gone(PHONE, 5)]


def test_a_card_without_a_uid_is_unsupported() -> None:
    assert polls(Presence(), b"") == [UnusableCard("unsupported", b"", 1, 1000)]


@pytest.mark.parametrize("uid", ["deadbeef", "04a1b2c3d4e580", "04010203040506070809", "08a1b2c3d4e580"])
def test_uids_of_4_7_and_10_bytes_are_seen_whole(uid: str) -> None:
    assert polls(Presence(), bytes.fromhex(uid)) == [seen(bytes.fromhex(uid), 1)]


@given(st.lists(st.sampled_from([A, B, PHONE, NOBODY]), max_size=60))
def test_no_card_is_seen_twice_without_having_gone(answers: list[bytes | None]) -> None:
    lying: bytes | None = None
    for event in polls(Presence(), *answers):
        match event:
            case CardSeen(uid=uid) | UnusableCard(uid=uid):
                assert lying is None
                lying = uid
            case CardGone(uid=uid):
                assert lying == uid
                lying = None
            case TwoCards(uids=(first, _)):
                assert lying == first


@given(st.lists(st.sampled_from([A, B, NOBODY]), max_size=60))
def test_a_field_that_was_empty_twice_is_free_for_any_card(answers: list[bytes | None]) -> None:
    presence = Presence()
    polls(presence, *answers, NOBODY, NOBODY)
    assert not presence.occupied
    assert polls(presence, A) == [seen(A, 1)]


def test_a_card_that_did_not_prove_itself_is_no_means_of_payment_until_it_has_left() -> None:
    presence, at = Presence(), Moment(1, 1000)
    assert not presence.knows(A)
    assert presence.answered(A, at, None) == [UnusableCard("not_proven", A, *at)]
    assert presence.knows(A)
    assert presence.answered(A, at, "A") == []
    presence.empty(at)
    presence.empty(at)
    assert presence.answered(A, at, "A") == [CardSeen(A, "A", *at)]


def test_a_card_that_takes_anothers_place_brings_its_own_level() -> None:
    presence, at = Presence(), Moment(1, 1000)
    presence.answered(A, at, "A")
    events = [event for _ in range(4) for event in presence.answered(B, at, "C")]
    assert events == [CardGone(A, *at), CardSeen(B, "C", *at)]
