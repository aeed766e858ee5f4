"""The bridge's driver before a simulated board: the firmware's own loop behind a pseudo-terminal."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from queue import Queue
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules.chips.allowance import Carried, Owed
from app.rules.chips.keyring import CardKey
from firmware_bridge import messages
from firmware_bridge.frames import framed
from firmware_bridge.host import BoardLost, Session
from firmware_bridge.simulator import SimulatedBoard
from readers.cardauth import allowance, ntag424
from readers.cardauth.isodep import IsoDep
from readers.drivers import open_driver
from readers.drivers.bridge import BridgeDriver
from readers.emulator import Card, Desfire, Ntag213, Ntag424, Torn, UidCard, UltralightAes
from readers.taps import (
    CardGone,
    CardSeen,
    CardSilent,
    Driver,
    Errands,
    Presence,
    Reader,
    ReaderEvent,
    ReaderFault,
    ReaderFound,
    ReaderLost,
    Signal,
    TwoCards,
    UnusableCard,
)

Event = TypeVar("Event", bound=ReaderEvent)

KEY, OTHER = bytes(range(16)), bytes(16)
UID, APPLICATION = bytes.fromhex("04a1b2c3d4e580"), bytes.fromhex("c0ffee")
AWA, BASTIEN = Ntag213(UID), Ntag213(bytes.fromhex("04a1b2c3d4e581"))
KEYS = {UID: CardKey("ntag424", KEY, 1)}
LONG_S = 5


def genuine() -> Ntag424:
    return Ntag424(UID, (OTHER, KEY, OTHER, OTHER, OTHER))


class Till:
    """A running reader at a board, and what it is told."""

    def __init__(self, board: SimulatedBoard) -> None:
        self.board = board
        self.told: Queue[ReaderEvent] = Queue()

    def next(self, kind: type[Event]) -> Event:
        event = self.told.get(timeout=LONG_S)
        assert isinstance(event, kind), event
        return event

    def tap(self, card: Card) -> CardSeen:
        self.board.present(card)
        seen = self.next(CardSeen)
        self.board.remove()
        self.next(CardGone)
        return seen


@contextmanager
def till_at(board: SimulatedBoard, keys: Mapping[bytes, CardKey] | None = None) -> Iterator[Till]:
    till = Till(board)
    with Reader(lambda presence: open_driver(board.path, presence, keys), till.told.put, backoff_min_s=0.01):
        till.next(ReaderFound)
        yield till


@pytest.fixture
def board() -> Iterator[SimulatedBoard]:
    with SimulatedBoard() as board:
        yield board


def test_cards_of_all_sizes_come_and_go(board: SimulatedBoard) -> None:
    with till_at(board) as till:
        for uid in (bytes(range(1, 5)), bytes(range(1, 8)), bytes(range(1, 11))):
            before = time.monotonic_ns()
            seen = till.tap(UidCard(uid))
            assert (seen.uid, seen.assurance) == (uid, "C")
            assert before < seen.monotonic_ns < time.monotonic_ns()
            assert abs(seen.at_us - time.time_ns() // 1000) < LONG_S * 1e6


@pytest.mark.parametrize(
    ("card", "key"),
    [
        (genuine(), KEYS[UID]),
        (UltralightAes(UID, (KEY, OTHER)), CardKey("ultralight_aes", KEY)),
        (Desfire(UID, APPLICATION, (KEY,)), CardKey("desfire", KEY, 0, APPLICATION)),
    ],
    ids=["ntag424", "ultralight_aes", "desfire"],
)
def test_chips_prove_themselves_through_the_bridge(board: SimulatedBoard, card: Card, key: CardKey) -> None:
    with till_at(board, {UID: key}) as till:
        assert till.tap(card).assurance == "A"


def test_a_copy_that_knows_no_key_is_no_means_of_payment(board: SimulatedBoard) -> None:
    with till_at(board, KEYS) as till:
        board.present(Ntag424(UID, (OTHER,) * 5))
        assert till.next(UnusableCard).reason == "not_proven"
        board.present(AWA)
        board.remove()
        till.next(CardGone)
        board.present(AWA)
        assert till.next(UnusableCard).reason == "not_proven"


def test_a_phone_is_no_means_of_payment(board: SimulatedBoard) -> None:
    with till_at(board) as till:
        board.present(UidCard(b"\x08abc"))
        assert till.next(UnusableCard).reason == "random_uid"


def test_every_tap_once_with_one_byte_in_twenty_damaged() -> None:
    dice = random.Random(3)
    with SimulatedBoard(damage=0.05, seed=3) as board, till_at(board) as till:
        cards = [UidCard(dice.randbytes(7)) for _ in range(10)]
        assert [till.tap(card).uid for card in cards] == [card.uid for card in cards]
        assert till.told.empty()


def test_every_command_reaches_the_card_once_with_one_byte_in_two_hundred_damaged() -> None:
    with SimulatedBoard(damage=0.005, seed=3) as board:
        driver = open_driver(board.path)
        assert isinstance(driver, BridgeDriver)
        counting = Torn(genuine(), -1)
        board.present(counting)
        assert isinstance(driver.poll(LONG_S), CardSeen)
        driver.exchange(b"\xe0\x80")
        select = bytes.fromhex("00a4040007d276000085010100")
        for n in range(60):
            assert driver.exchange(bytes([0x02 | n & 1]) + select)[1:] == b"\x90\x00"
        assert counting.commands == 61
        assert driver._session.resent > 0
        driver.close()


def test_a_board_that_dies_in_the_middle_of_a_proof_is_told_and_the_card_is_proven_when_it_is_back(
    board: SimulatedBoard,
) -> None:
    with till_at(board, KEYS) as till:
        board.die_at = 3
        board.present(genuine())
        assert till.next(ReaderLost).reason == "silent"
        board.die_at = None
        board.restart()
        till.next(ReaderFound)
        assert till.next(CardSeen).assurance == "A"


def test_a_board_that_starts_again_in_the_middle_is_found_again(board: SimulatedBoard) -> None:
    with till_at(board) as till:
        board.present(AWA)
        till.next(CardSeen)
        board.restart()
        assert till.next(ReaderLost).reason == "unplugged"
        till.next(ReaderFound)
        board.remove()
        till.next(CardGone)
        assert till.tap(BASTIEN).uid == BASTIEN.uid


def test_a_board_is_pulled_out_and_plugged_in_again_and_a_card_that_lay_there_is_not_seen_twice(
    board: SimulatedBoard,
) -> None:
    with till_at(board) as till:
        board.present(AWA)
        till.next(CardSeen)
        for swapped, events in ((False, ()), (True, (CardGone, CardSeen))):
            board.unplug()
            assert till.next(ReaderLost).reason == "unplugged"
            assert till.next(ReaderLost).reason == "no_device"
            if swapped:
                board.present(BASTIEN)
            board.plug()
            till.next(ReaderFound)
            assert [type(till.told.get(timeout=LONG_S)) for _ in events] == list(events)
        board.unplug()
        till.next(ReaderLost)
        till.next(ReaderLost)
        board.remove()
        board.plug()
        till.next(ReaderFound)
        assert till.next(CardGone).uid == BASTIEN.uid
        assert till.told.empty()


def test_what_happens_while_no_till_listens_is_not_told_later(board: SimulatedBoard) -> None:
    with till_at(board) as till:
        till.tap(AWA)
    board.present(BASTIEN)
    time.sleep(0.05)
    board.remove()
    with till_at(board) as till:
        assert till.tap(AWA).uid == UID


def test_two_cards_at_once_and_nothing_before_the_field_was_empty(board: SimulatedBoard) -> None:
    with till_at(board) as till:
        board.present(AWA, BASTIEN)
        assert set(till.next(TwoCards).uids) == {AWA.uid, BASTIEN.uid}
        board.present(AWA)
        time.sleep(0.1)
        board.remove()
        till.next(CardGone)
        board.present(AWA)
        till.next(CardSeen)
        board.present(AWA, BASTIEN)
        assert till.next(TwoCards).uids == (AWA.uid, BASTIEN.uid)


def test_a_card_that_is_swapped_by_a_quick_hand(board: SimulatedBoard) -> None:
    with till_at(board) as till:
        board.present(AWA)
        till.next(CardSeen)
        board.present(BASTIEN)
        assert till.next(CardGone).uid == AWA.uid
        assert till.next(CardSeen).uid == BASTIEN.uid


@pytest.mark.parametrize("heard", [False, True])
def test_a_card_that_is_pulled_away_in_its_proof_is_asked_again_when_it_is_back(
    board: SimulatedBoard, heard: bool
) -> None:
    with till_at(board, KEYS) as till:
        torn = Torn(genuine(), 2, heard=heard)
        board.present(torn)
        while not torn.gone:
            time.sleep(0.005)
        torn.put_back()
        assert till.next(CardSeen).assurance == "A"


def test_a_card_that_never_answers_its_questions_counts_as_a_copy(board: SimulatedBoard) -> None:
    with till_at(board, KEYS) as till:
        board.present(UidCard(UID))
        assert till.next(UnusableCard).reason == "not_proven"


def test_the_card_can_be_asked_until_the_next_poll(board: SimulatedBoard) -> None:
    driver = open_driver(board.path)
    with pytest.raises(CardSilent, match="no card"):
        driver.exchange(b"\x60")
    board.present(AWA)
    assert isinstance(driver.poll(LONG_S), CardSeen)
    assert driver.exchange(b"\x60") == bytes.fromhex("0004040201000f03")
    time.sleep(0.05)
    assert driver.exchange(b"\x30\x00")[:3] == UID[:3]
    board.remove()
    with pytest.raises(CardSilent, match="no answer"):
        driver.exchange(b"\x60")
    assert isinstance(driver.poll(LONG_S), CardGone)
    driver.close()
    driver.close()


def test_a_reader_chip_that_fails_behind_the_board_is_told_until_it_works_again(board: SimulatedBoard) -> None:
    with till_at(board) as till:
        board.chip.failing = True
        lost = till.next(ReaderLost)
        assert lost.reason == "silent"
        assert "chip" in lost.detail
        board.chip.failing = False
        till.next(ReaderFound)
        assert till.tap(AWA).uid == UID


def test_what_cannot_be_opened_says_why(board: SimulatedBoard) -> None:
    def reason(path: str) -> str:
        with pytest.raises(ReaderFault) as caught:
            open_driver(path)
        return caught.value.reason

    assert reason("bridge:/dev/no-such-board") == "no_device"
    assert reason("bridge:no-such-board") == "no_device"
    driver = open_driver(board.path)
    assert reason(board.path) == "busy"
    driver.close()
    board.dead = True
    with pytest.raises(BoardLost, match="nobody answers"):
        Session.open(board.port, within_s=0.1)


def test_light_sound_and_text_reach_the_board(board: SimulatedBoard) -> None:
    session = Session.open(board.port)
    session.send(messages.LED, messages.led(0, 255, 0))
    session.send(messages.BUZZER, messages.buzzer([(2000, 80)]))
    session.send(messages.DISPLAY, messages.display("12,50 €\nmerci", 1))
    assert session.flush(1)
    shown = board.outputs
    deadline = time.monotonic() + LONG_S
    while not shown.lines and time.monotonic() < deadline:
        time.sleep(0.002)
    assert (shown.led[:3], shown.tones, shown.lines) == ((0, 255, 0), [(2000, 80)], ["12,50 €", "merci"])
    session.send(messages.LED, b"short")
    # It also tells that nothing lies there.
    while (told := session.next(LONG_S)) and told[0] != messages.ERROR:
        pass
    assert told is not None
    assert messages.read_error(told[1]) == (messages.BAD_REQUEST, "led")
    session.close()


@pytest.mark.parametrize(
    ("signal", "led", "tones"),
    [
        (Signal("paid", ("OK", "12,50 €", "= 27,50 €")), (0, 255, 0, 0, 0, 0), 1),
        (Signal("refused", ("X",)), (255, 0, 0, 300, 150, 0), 3),
        (Signal("card", ("12,50 €",)), (0, 0, 120, 0, 0, 0), 0),
    ],
)
def test_what_the_till_shows_is_shown_at_the_board(
    board: SimulatedBoard, signal: Signal, led: tuple[int, ...], tones: int
) -> None:
    driver = open_driver(board.path)
    assert isinstance(driver, BridgeDriver)
    driver.show(signal)
    deadline = time.monotonic() + LONG_S
    while board.outputs.lines != list(signal.lines) and time.monotonic() < deadline:
        driver.poll(0.01)
    shown = board.outputs
    assert (shown.lines, shown.led, len(shown.tones)) == (list(signal.lines), led, tones)
    board.unplug()
    driver.show(signal)
    driver.close()


class Babbling:
    """A port whose other end says whatever it likes."""

    def __init__(self, said: list[bytes]) -> None:
        self.said = said

    def read(self, timeout_s: float) -> bytes:
        return self.said.pop(0) if self.said else b""

    def write(self, data: bytes) -> None:
        pass

    def close(self) -> None:
        pass


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.tuples(st.sampled_from([16, 17, 18, 33, 80, 99]), st.binary(max_size=40))
            .map(lambda it: bytes([it[0], 0, 7, 0, 0]) + it[1])
            .map(framed),
        ),
        max_size=8,
    )
)
def test_whatever_a_board_says_the_driver_tells_events_or_its_loss(said: list[bytes]) -> None:
    port = Babbling([])
    session = Session(port)
    nonce = session._end._nonce
    port.said = [framed(bytes([3, 0, 7, 0, 0]) + messages.welcome(nonce, 1, b"boot", 1, 62, "babbling"))]
    session.meet(1)
    port.said = list(said)
    driver = BridgeDriver(session, "bridge:x", Presence(), {})
    for _ in range(len(said) + 1):
        event = driver.poll(0)
        if isinstance(event, ReaderLost):
            break


def _open_until_nobody_answers(port: str) -> None:
    """What a board said before it died may still be on the line, and is heard once."""
    while True:
        Session.open(port, within_s=0.05).close()


def test_a_port_is_closed_whatever_fails(board: SimulatedBoard) -> None:
    open_files = len(os.listdir("/proc/self/fd"))
    board.dead = True
    with pytest.raises(BoardLost):
        _open_until_nobody_answers(board.port)
    assert len(os.listdir("/proc/self/fd")) == open_files


def test_a_card_that_lies_there_carries_what_it_pays_and_left_does_not(board: SimulatedBoard) -> None:
    card, errands, told = genuine(), Errands(), Queue[ReaderEvent]()
    master = ntag424.authenticate(IsoDep(exchange_with(card)).transceive, 0, OTHER)
    allowance.set_up(master, 1)
    allowance.begin(ntag424.authenticate(IsoDep(exchange_with(card)).transceive, 1, KEY), KEY)
    state = Carried((Owed(b"bar", 1, 7, b"RA", 450),))

    def carried() -> Future[Carried | None]:
        return errands.ask(UID, lambda exchange: allowance.carry(KEYS[UID], exchange, lambda _: state))

    def opened(presence: Presence) -> Driver:
        return open_driver(board.path, presence, KEYS)

    with Reader(opened, told.put, backoff_min_s=0.01, errands=errands):
        assert isinstance(told.get(timeout=LONG_S), ReaderFound)
        board.present(Torn(card, 4 + 4))
        assert isinstance(told.get(timeout=LONG_S), CardSeen)
        with pytest.raises(CardSilent):
            carried().result(LONG_S)
        board.remove()
        assert isinstance(told.get(timeout=LONG_S), CardGone)
        board.present(card)
        assert isinstance(told.get(timeout=LONG_S), CardSeen)
        for _ in range(2):
            assert carried().result(LONG_S) == state
        board.remove()
        assert isinstance(told.get(timeout=LONG_S), CardGone)
        with pytest.raises(CardSilent):
            carried().result(LONG_S)


def exchange_with(card: Card) -> Callable[[bytes], bytes]:
    card.power_on()

    def exchange(frame: bytes) -> bytes:
        answer = card.process(frame)
        assert answer is not None
        return answer

    return exchange
