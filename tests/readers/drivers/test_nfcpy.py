"""The real nfcpy reading emulated cards on loopback."""

from __future__ import annotations

import errno
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from queue import Empty, Queue
from typing import Any

import nfc
import pytest

from readers.drivers import open_driver
from readers.drivers.nfcpy import NfcpyDriver
from readers.emulator import Ntag213, UdpCardField, UidCard, card_with_uid
from readers.taps import (
    CardGone,
    CardSeen,
    CardSilent,
    Presence,
    Reader,
    ReaderEvent,
    ReaderFault,
    ReaderFound,
    ReaderLost,
    UnusableCard,
)

# Above what a busy machine adds, and below what a wait in vain would take.
LONG_S = 4

AWA, BASTIEN = Ntag213(bytes.fromhex("04a1b2c3d4e580")), Ntag213(bytes.fromhex("04a1b2c3d4e581"))


class Till:
    """A running reader in front of a field, and all that it said."""

    def __init__(self, field: UdpCardField) -> None:
        self.field = field
        self.all: list[ReaderEvent] = []
        self.drivers: list[Any] = []
        self._events: Queue[ReaderEvent] = Queue()
        self.reader = Reader(self._open, self._take, backoff_min_s=0.01)
        self.reader.start()
        assert isinstance(self.next(), ReaderFound)

    def next(self, timeout_s: float = 4) -> ReaderEvent:
        return self._events.get(timeout=timeout_s)

    def next_seen(self) -> CardSeen:
        while not isinstance(event := self.next(), CardSeen):
            pass
        return event

    def wait_for_looks(self, count: int) -> None:
        """Until the card has been called for `count` more times."""
        left = count

        def counting(command: bytes, answer: bytes | None) -> bytes | None:
            nonlocal left
            left -= command == b"\x26"
            return answer

        self.field.fault = counting
        wait_until(lambda: left <= 0)
        self.field.fault = None

    def quiet(self) -> bool:
        try:
            self._events.get_nowait()
        except Empty:
            return True
        return False

    def _open(self, presence: Presence) -> Any:
        self.drivers.append(open_driver(self.field.path, presence))
        return self.drivers[-1]

    def _take(self, event: ReaderEvent) -> None:
        self.all.append(event)
        self._events.put(event)


def wait_until(condition: Callable[[], bool], timeout_s: float = 4) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "never came true"
        time.sleep(0.002)


@pytest.fixture
def field() -> Iterator[UdpCardField]:
    with UdpCardField() as field:
        yield field


@pytest.fixture
def till(field: UdpCardField) -> Iterator[Till]:
    till = Till(field)
    yield till
    assert till.reader.stop()


def test_a_card_is_seen_once_however_long_it_stays(till: Till) -> None:
    till.field.present(AWA)
    assert till.next_seen().uid == AWA.uid
    till.wait_for_looks(8)
    assert till.quiet()
    till.field.remove()
    assert isinstance(till.next(), CardGone)


def test_a_card_that_leaves_and_returns_is_seen_again(till: Till) -> None:
    till.field.present(AWA)
    first = till.next()
    till.field.remove()
    gone = till.next()
    till.field.present(AWA)
    again = till.next()
    assert isinstance(first, CardSeen)
    assert isinstance(gone, CardGone)
    assert isinstance(again, CardSeen)
    assert first.uid == gone.uid == again.uid == AWA.uid
    assert first.monotonic_ns < gone.monotonic_ns < again.monotonic_ns
    assert abs(again.at_us - time.time_ns() // 1000) < 60_000_000
    assert again.assurance == "C"


def test_two_cards_one_after_the_other_are_both_seen(till: Till) -> None:
    till.field.present(AWA)
    assert till.next_seen().uid == AWA.uid
    till.field.remove()
    assert isinstance(till.next(), CardGone)
    till.field.present(BASTIEN)
    assert till.next_seen().uid == BASTIEN.uid


def test_a_card_laid_down_in_place_of_another_is_seen_after_that_one_is_gone(till: Till) -> None:
    till.field.present(AWA)
    till.next_seen()
    till.field.present(BASTIEN)
    gone, seen = till.next(), till.next()
    assert isinstance(gone, CardGone)
    assert isinstance(seen, CardSeen)
    assert (gone.uid, seen.uid) == (AWA.uid, BASTIEN.uid)


@pytest.mark.parametrize("uid", ["deadbeef", "04a1b2c3d4e580", "04010203040506070809"])
def test_uids_of_4_7_and_10_bytes_are_read_whole(till: Till, uid: str) -> None:
    till.field.present(card_with_uid(bytes.fromhex(uid)))
    assert till.next_seen().uid.hex() == uid


def test_a_phone_with_a_random_uid_is_reported_as_unusable(till: Till) -> None:
    till.field.present(UidCard(bytes.fromhex("08123456")))
    event = till.next()
    assert isinstance(event, UnusableCard)
    assert event.reason == "random_uid"
    till.field.remove()
    assert isinstance(till.next(), CardGone)


def test_a_uid_is_read_in_well_under_a_tenth_of_a_second(till: Till) -> None:
    waits_ms = []
    for _ in range(9):
        laid_ns = time.monotonic_ns()
        till.field.present(AWA)
        waits_ms.append((till.next_seen().monotonic_ns - laid_ns) / 1e6)
        till.field.remove()
        assert isinstance(till.next(), CardGone)
    assert statistics.median(waits_ms) < 60


def test_a_card_that_lies_there_while_the_reader_is_lost_is_not_seen_again(till: Till) -> None:
    till.field.present(AWA)
    till.next_seen()
    till.drivers[0]._frontend.device.sense_tta = failing(errno.ENODEV)
    lost, found = till.next(), till.next()
    assert isinstance(lost, ReaderLost)
    assert lost.reason == "unplugged"
    assert isinstance(found, ReaderFound)
    till.wait_for_looks(4)
    assert till.quiet()
    till.field.remove()
    assert isinstance(till.next(), CardGone)
    till.field.present(AWA)
    assert till.next_seen().uid == AWA.uid


def test_a_card_taken_away_while_the_reader_is_lost_is_gone_and_may_come_again(till: Till) -> None:
    till.field.present(AWA)
    till.next_seen()
    till.field.remove()
    till.drivers[0]._frontend.device.sense_tta = failing(errno.ENODEV)
    events = [till.next() for _ in range(3)]
    assert sorted(type(event).__name__ for event in events) == ["CardGone", "ReaderFound", "ReaderLost"]
    till.field.present(AWA)
    assert till.next_seen().uid == AWA.uid


def test_a_field_that_vanishes_takes_its_card_along_and_a_new_one_is_read(field: UdpCardField, till: Till) -> None:
    field.present(AWA)
    till.next_seen()
    field.close()
    assert isinstance(till.next(), CardGone)
    with UdpCardField(field.port) as again:
        again.present(BASTIEN)
        assert till.next_seen().uid == BASTIEN.uid
        assert till.reader.stop()


@pytest.mark.parametrize("garbage", [b"", b"\x00", b"\x44", b"\xff\xff\xff", bytes(64), b"\x44\x00\x04"])
def test_garbage_from_a_card_neither_stops_the_reader_nor_hides_the_next_card(till: Till, garbage: bytes) -> None:
    spoiled = 0

    def spoil(command: bytes, answer: bytes | None) -> bytes | None:
        nonlocal spoiled
        spoiled += 1
        return garbage

    till.field.fault = spoil
    till.field.present(AWA)
    wait_until(lambda: spoiled > 5)
    till.field.fault = None
    till.field.remove()
    wait_until(lambda: not till.drivers[-1]._presence.occupied)
    till.field.present(BASTIEN)
    while till.next_seen().uid != BASTIEN.uid:
        pass


def test_frames_damaged_at_random_never_stop_the_reader(till: Till) -> None:
    dice = random.Random(20)
    spoiled = 0

    def spoil(command: bytes, answer: bytes | None) -> bytes | None:
        nonlocal spoiled
        if answer is None or dice.random() < 0.6:
            return answer
        spoiled += 1
        return dice.randbytes(dice.randrange(len(answer) + 1))

    till.field.fault = spoil
    till.field.present(AWA)
    wait_until(lambda: spoiled > 12, timeout_s=20)
    till.field.fault = None
    till.field.remove()
    wait_until(lambda: not till.drivers[-1]._presence.occupied)
    till.field.present(BASTIEN)
    while till.next_seen().uid != BASTIEN.uid:
        pass


def test_single_bad_frames_on_the_wire_are_no_loss_and_no_absence(field: UdpCardField) -> None:
    driver: Any = open_driver(field.path)
    field.present(AWA)
    assert isinstance(driver.poll(1), CardSeen)
    real, calls = driver._frontend.device.sense_tta, 0

    def flaky(target: Any) -> Any:
        nonlocal calls
        calls += 1
        return real(target) if calls % 4 == 0 else failing(errno.EIO)(target)

    driver._frontend.device.sense_tta = flaky
    assert driver.poll(0.6) is None
    assert calls > 8
    driver.close()


def test_a_reader_that_gives_nothing_but_errors_is_lost(field: UdpCardField) -> None:
    frontend = nfc.ContactlessFrontend(field.path)
    driver = NfcpyDriver(frontend, field.path, Presence(), failing_ns_max=30_000_000)
    frontend.device.sense_tta = failing(errno.ETIMEDOUT)
    lost = driver.poll(2)
    assert isinstance(lost, ReaderLost)
    assert lost.reason == "silent"
    driver.close()
    driver.close()


def test_a_quiet_field_gives_nothing_within_about_the_time_asked(field: UdpCardField) -> None:
    driver = open_driver(field.path)
    started = time.monotonic()
    assert driver.poll(0.1) is None
    assert 0.1 <= time.monotonic() - started < LONG_S
    driver.close()


def test_commands_go_to_the_card_that_was_seen(field: UdpCardField) -> None:
    driver = open_driver(field.path)
    with pytest.raises(CardSilent):
        driver.exchange(b"\x30\x00")
    field.present(AWA)
    assert isinstance(driver.poll(1), CardSeen)
    assert driver.exchange(b"\x30\x00")[:3] == AWA.uid[:3]
    field.remove()
    with pytest.raises(CardSilent):
        driver.exchange(b"\x30\x00")
    driver.close()
    with pytest.raises(ReaderFault):
        driver.exchange(b"\x30\x00")


def test_what_is_wanted_of_the_card_that_lies_there_is_done_and_of_another_is_not(field: UdpCardField) -> None:
    presence = Presence()
    driver = open_driver(field.path, presence)
    try:
        field.present(AWA)
        assert isinstance(driver.poll(LONG_S), CardSeen)
        other = presence.errands.ask(BASTIEN.uid, lambda exchange: exchange(b"\x60"))
        assert driver.poll(0.1) is None
        with pytest.raises(CardSilent):
            other.result(0)
        assert not presence.errands.wanted
        own = presence.errands.ask(AWA.uid, lambda exchange: exchange(b"\x60"))
        assert driver.poll(0.1) is None
        assert own.result(0) == AWA.process(b"\x60")
        field.remove()
        assert isinstance(driver.poll(LONG_S), CardGone)
        gone = presence.errands.ask(AWA.uid, lambda exchange: exchange(b"\x60"))
        assert driver.poll(0.2) is None
        with pytest.raises(CardSilent):
            gone.result(0)
    finally:
        driver.close()


def test_stopping_is_prompt(field: UdpCardField) -> None:
    till = Till(field)
    started = time.monotonic()
    assert till.reader.stop()
    assert time.monotonic() - started < LONG_S


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("tty:/dev/no-such-port:pn532", "no_device"),
        ("tty:S99:pn532", "no_device"),
        ("nonsense", "no_device"),
        ("udp:127.0.0.1:not-a-port", "fault"),
        ("", "no_device"),
    ],
)
def test_a_path_without_a_reader_says_so_plainly(path: str, reason: str) -> None:
    with pytest.raises(ReaderFault) as caught:
        open_driver(path)
    assert caught.value.reason == reason
    assert path in str(caught.value)


def test_nfcpys_own_log_stays_quiet(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ReaderFault):
        open_driver("tty:S99:pn532")
    assert [record for record in caplog.records if record.name.startswith("nfc")] == []


def test_a_serial_port_where_nobody_answers_is_silent() -> None:
    chip, port = os.openpty()
    try:
        with pytest.raises(ReaderFault) as caught:
            open_driver(f"tty:{os.ttyname(port)}:pn532")
        assert caught.value.reason == "silent"
    finally:
        os.close(chip)
        os.close(port)


def failing(code: int) -> Callable[[Any], Any]:
    def sense(target: Any) -> Any:
        raise OSError(code, os.strerror(code))

    return sense
