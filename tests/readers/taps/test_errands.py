"""What another thread wants of the card on a reader: done once, told truly, and never in the reader's way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from readers.taps import CardSilent, Errands, Moment, Presence, ReaderFault
from readers.taps.errands import TRIES

ONE, OTHER = b"\x04one", b"\x04two"
Frames = Callable[[bytes], bytes]


def echo(frame: bytes) -> bytes:
    return frame[::-1]


def silent(frame: bytes) -> bytes:
    raise CardSilent("no answer")


def asks(exchange: Frames) -> bytes:
    return exchange(b"ab")


def test_it_is_done_with_the_card_that_was_meant_and_once() -> None:
    errands = Errands()
    done = errands.ask(ONE, asks)
    errands.serve(OTHER, echo)
    assert not done.done()
    errands.serve(ONE, echo)
    assert done.result(0) == b"ba"
    errands.serve(ONE, silent)


def test_a_card_that_slips_is_asked_again_and_not_for_ever() -> None:
    errands = Errands()
    done = errands.ask(ONE, asks)
    errands.serve(ONE, silent)
    errands.serve(ONE, echo)
    assert done.result(0) == b"ba"
    done = errands.ask(ONE, asks)
    for _ in range(TRIES):
        assert not done.done()
        errands.serve(ONE, silent)
    with pytest.raises(CardSilent):
        done.result(0)


@pytest.mark.parametrize("tried", [False, True])
def test_a_card_that_left_did_not_do_it(tried: bool) -> None:
    errands = Errands()
    done = errands.ask(ONE, asks)
    if tried:
        errands.serve(ONE, silent)
    errands.left()
    with pytest.raises(CardSilent):
        done.result(0)
    errands.left()


def test_a_driver_that_says_what_lies_there_needs_no_look() -> None:
    errands = Errands()
    errands.attend(ONE, echo)
    for present in (None, OTHER):
        done = errands.ask(ONE, asks)
        errands.attend(present, echo)
        with pytest.raises(CardSilent):
            done.result(0)
    done = errands.ask(ONE, asks)
    errands.attend(ONE, echo)
    assert done.result(0) == b"ba"


def test_what_goes_wrong_is_told_to_whoever_asked_and_a_reader_that_failed_to_its_driver() -> None:
    def broken(_: Frames) -> None:
        raise KeyError("a fault of ours")

    def dead(_: bytes) -> bytes:
        raise ReaderFault("unplugged", "gone")

    errands = Errands()
    done = errands.ask(ONE, broken)
    errands.serve(ONE, echo)
    with pytest.raises(KeyError):
        done.result(0)
    wanted = errands.ask(ONE, asks)
    with pytest.raises(ReaderFault):
        errands.serve(ONE, dead)
    with pytest.raises(ReaderFault):
        wanted.result(0)


def test_what_nobody_waits_for_any_more_is_not_done() -> None:
    errands, did = Errands(), []
    errands.ask(ONE, did.append).cancel()
    errands.serve(ONE, echo)
    first, second = errands.ask(ONE, did.append), errands.ask(ONE, asks)
    errands.serve(ONE, echo)
    assert (first.cancelled(), second.result(0), did) == (True, b"ba", [])
    # One that was tried already, and is wanted no more.
    slow = errands.ask(ONE, asks)
    errands.serve(ONE, lambda frame: silent(frame) if errands.ask(ONE, asks) else b"")
    with pytest.raises(CardSilent):
        slow.result(0)


def test_a_reader_that_waits_is_woken_and_sleeps_again_when_it_is_done() -> None:
    errands = Errands()
    errands.wait(0)
    errands.ask(ONE, asks)
    errands.wait(60)
    errands.serve(ONE, echo)
    assert not errands._wake.is_set()


def test_the_field_says_that_nobody_is_there() -> None:
    presence, at = Presence(), Moment(0, 0)
    done = presence.errands.ask(ONE, asks)
    presence.empty(at)
    with pytest.raises(CardSilent):
        done.result(0)
    presence.answered(ONE, at)
    done = presence.errands.ask(ONE, asks)
    presence.empty(at)
    assert not done.done(), "one look that nobody answers is none"
    presence.empty(at)
    with pytest.raises(CardSilent):
        done.result(0)
