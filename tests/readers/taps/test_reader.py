"""The thread that keeps a reader open, with drivers that are scripted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from queue import Queue

import pytest

from readers.taps import (
    CardEvent,
    CardSeen,
    Driver,
    Moment,
    Presence,
    Reader,
    ReaderEvent,
    ReaderFault,
    ReaderFound,
    ReaderLost,
    Signal,
)

# Above what a busy machine adds, and below what a wait in vain would take.
LONG_S = 4

SEEN = CardSeen(bytes.fromhex("04a1b2c3d4e580"), "C", 1, 1000)
Step = CardEvent | ReaderLost | Exception | None


class ScriptedDriver:
    """Polls give the script's steps one after the other, then nothing more."""

    name = "scripted"

    def __init__(self, *steps: Step) -> None:
        self.steps = list(steps)
        self.closed = threading.Event()

    def poll(self, timeout_s: float) -> CardEvent | ReaderLost | None:
        if not self.steps:
            time.sleep(0.001)
            return None
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    def exchange(self, data: bytes) -> bytes:
        raise NotImplementedError

    def close(self) -> None:
        self.closed.set()


class Script:
    """Opens the given drivers in turn, or raises the given errors; the last one stands for all that follow."""

    def __init__(self, *openings: Driver | Exception) -> None:
        self.openings = list(openings)
        self.events: Queue[ReaderEvent] = Queue()
        self.opened_at: list[float] = []
        self.presences: list[Presence] = []

    def open(self, presence: Presence) -> Driver:
        self.opened_at.append(time.monotonic())
        self.presences.append(presence)
        opening = self.openings.pop(0) if len(self.openings) > 1 else self.openings[0]
        if isinstance(opening, Exception):
            raise opening
        return opening

    def next(self, count: int) -> list[ReaderEvent]:
        return [self.events.get(timeout=3) for _ in range(count)]


Running = Callable[..., Reader]


@pytest.fixture
def run() -> Iterator[Running]:
    readers: list[Reader] = []

    def start(
        script: Script, on_event: Callable[[ReaderEvent], None] | None = None, backoff_max_s: float = 5
    ) -> Reader:
        reader = Reader(script.open, on_event or script.events.put, backoff_min_s=0.01, backoff_max_s=backoff_max_s)
        reader.start()
        readers.append(reader)
        return reader

    yield start
    for reader in readers:
        assert reader.stop()


def test_a_reader_is_found_and_its_events_are_handed_on(run: Running) -> None:
    script = Script(ScriptedDriver(SEEN))
    run(script)
    assert script.next(2) == [ReaderFound("scripted"), SEEN]


def test_a_lost_reader_is_closed_told_and_opened_again(run: Running) -> None:
    first = ScriptedDriver(None, ReaderLost("unplugged", "pulled out"))
    script = Script(first, ScriptedDriver(SEEN))
    run(script)
    assert script.next(4) == [
        ReaderFound("scripted"),
        ReaderLost("unplugged", "pulled out"),
        ReaderFound("scripted"),
        SEEN,
    ]
    assert first.closed.is_set()


def test_a_driver_that_raises_is_a_lost_reader(run: Running, caplog: pytest.LogCaptureFixture) -> None:
    script = Script(ScriptedDriver(None, IndexError("short frame")), ScriptedDriver(SEEN))
    run(script)
    _, lost, found, seen = script.next(4)
    assert isinstance(lost, ReaderLost)
    assert (lost.reason, "short frame" in lost.detail) == ("fault", True)
    assert (found, seen) == (ReaderFound("scripted"), SEEN)
    assert "the reader scripted failed" in caplog.text


def test_an_outage_is_told_once_and_again_only_for_another_reason(run: Running) -> None:
    absent, denied = ReaderFault("no_device", "none"), ReaderFault("no_permission", "not yours")
    script = Script(absent, absent, absent, denied, denied, ScriptedDriver())
    run(script)
    assert script.next(3) == [
        ReaderLost("no_device", "none"),
        ReaderLost("no_permission", "not yours"),
        ReaderFound("scripted"),
    ]


def test_a_second_outage_for_the_same_reason_is_told_too(run: Running) -> None:
    lost = ReaderLost("unplugged", "pulled out")
    script = Script(ScriptedDriver(None, lost), ScriptedDriver(None, lost), ScriptedDriver())
    run(script)
    assert script.next(5) == [ReaderFound("scripted"), lost, ReaderFound("scripted"), lost, ReaderFound("scripted")]


def test_attempts_to_open_come_ever_slower_up_to_a_limit(run: Running) -> None:
    script = Script(*[ReaderFault("no_device", "none")] * 7, ScriptedDriver())
    run(script, backoff_max_s=0.04)
    script.next(2)
    waits = [later - earlier for earlier, later in zip(script.opened_at, script.opened_at[1:], strict=False)]
    assert all(wait >= least for wait, least in zip(waits, [0.01, 0.02, 0.04, 0.04, 0.04], strict=False))
    assert waits[-1] < LONG_S


def test_what_is_known_of_the_field_outlives_a_driver(run: Running) -> None:
    script = Script(ScriptedDriver(ReaderLost("silent")), ScriptedDriver())
    run(script)
    script.next(2)
    first, second = script.presences
    first.answered(SEEN.uid, Moment(1, 1000))
    assert second.occupied


def test_a_fault_in_what_follows_a_tap_does_not_stop_the_reader(run: Running, caplog: pytest.LogCaptureFixture) -> None:
    handled: Queue[ReaderEvent] = Queue()

    def fails(event: ReaderEvent) -> None:
        handled.put(event)
        raise RuntimeError("journal full")

    script = Script(ScriptedDriver(SEEN, SEEN))
    run(script, on_event=fails)
    assert [handled.get(timeout=3) for _ in range(3)] == [ReaderFound("scripted"), SEEN, SEEN]
    assert "journal full" in caplog.text


def test_stopping_is_prompt_while_polling_and_while_waiting_to_reopen(run: Running) -> None:
    polling = Script(driver := ScriptedDriver())
    waiting = Script(ReaderFault("no_device", "none"))
    readers = [run(polling), run(waiting)]
    polling.next(1)
    waiting.next(1)
    started = time.monotonic()
    assert all(reader.stop() for reader in readers)
    assert time.monotonic() - started < LONG_S
    assert driver.closed.is_set()


def test_a_driver_that_hangs_does_not_delay_the_stop_for_long() -> None:
    release = threading.Event()

    class Hanging(ScriptedDriver):
        def poll(self, timeout_s: float) -> CardEvent | ReaderLost | None:
            release.wait(60)
            return None

    driver = Hanging()
    reader = Reader(Script(driver).open, lambda _: None)
    reader.start()
    started = time.monotonic()
    assert not reader.stop()
    assert time.monotonic() - started < LONG_S
    release.set()
    assert driver.closed.wait(3)


def test_a_reader_that_was_never_started_can_be_stopped() -> None:
    assert Reader(Script(ScriptedDriver()).open, lambda _: None).stop()


class ShowingDriver(ScriptedDriver):
    def __init__(self, *steps: Step) -> None:
        super().__init__(*steps)
        self.shown: Queue[Signal] = Queue()

    def show(self, signal: Signal) -> None:
        self.shown.put(signal)


def test_a_reader_shows_the_newest_signal_once_and_again_after_it_was_lost() -> None:
    first, second = ShowingDriver(), ShowingDriver()
    script = Script(first, second)
    paid, ready = Signal("paid", ("OK",)), Signal("off")
    with Reader(script.open, script.events.put, backoff_min_s=0.01) as reader:
        reader.show(paid)
        assert first.shown.get(timeout=LONG_S) == paid
        reader.show(ready)
        assert first.shown.get(timeout=LONG_S) == ready
        first.steps.append(ReaderLost("unplugged"))
        assert second.shown.get(timeout=LONG_S) == ready
    assert first.shown.empty()
    assert second.shown.empty()
