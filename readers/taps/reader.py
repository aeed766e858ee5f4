"""A thread around one reader: keeps it open and hands on what it sees."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from readers.taps.errands import Errands
from readers.taps.events import Driver, ReaderEvent, ReaderFault, ReaderFound, ReaderLost
from readers.taps.presence import Presence
from readers.taps.signals import Showing, Signal

BACKOFF_MIN_S = 0.2
BACKOFF_MAX_S = 5.0
# One poll call lasts at most about this long, so that a stop is noticed well within a second.
POLL_S = 0.2
# With a reader that shows something: a green light must not come later than the screen's.
POLL_SHOWING_S = 0.04
STOP_S_MAX = 0.9

_log = logging.getLogger(__name__)


class Reader:
    """Owns a driver in a thread of its own and reopens it for as long as it runs.

    `open_driver` gets the Presence that outlives every single driver, and returns an open one or raises ReaderFault.
    `on_event` is called in the reader's thread, one event at a time; while it runs nothing is polled. `ReaderLost`
    comes once per outage and again only if its reason changes; `ReaderFound` follows when the reader is open again.
    `errands`: where others say what is to be done with the card that lies there.
    """

    def __init__(
        self,
        open_driver: Callable[[Presence], Driver],
        on_event: Callable[[ReaderEvent], None],
        *,
        backoff_min_s: float = BACKOFF_MIN_S,
        backoff_max_s: float = BACKOFF_MAX_S,
        errands: Errands | None = None,
    ) -> None:
        self._open_driver = open_driver
        self._on_event = on_event
        self._backoff_min_s = backoff_min_s
        self._backoff_max_s = backoff_max_s
        self._backoff_s = backoff_min_s
        self._presence = Presence(errands)
        self._stopping = threading.Event()
        self._told: ReaderLost | None = None
        self._signal: Signal | None = None
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def show(self, signal: Signal) -> None:
        """Have the reader show this from now on, if it has anything to show with. Any thread may call."""
        self._signal = signal

    def stop(self) -> bool:
        """Stop and close the driver; True when the thread has ended.

        Returns within STOP_S_MAX in any case. A driver that is stuck in a call (nfcpy waits a second for a silent
        address on its `udp` path) is closed by its thread as soon as that call returns.
        """
        self._stopping.set()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(STOP_S_MAX)
        return not self._thread.is_alive()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _run(self) -> None:
        while not self._stopping.is_set():
            lost = self._serve()
            if lost is None:
                return
            if self._told is None or self._told.reason != lost.reason:
                self._tell(lost)
                self._told = lost
            self._stopping.wait(self._backoff_s)
            self._backoff_s = min(self._backoff_s * 2, self._backoff_max_s)

    def _serve(self) -> ReaderLost | None:
        """Open the driver and poll it until it is lost (returns why) or the reader is stopped (returns None)."""
        try:
            driver = self._open_driver(self._presence)
        except ReaderFault as error:
            return ReaderLost(error.reason, str(error))
        except Exception as error:
            # A driver is other people's code over a cable: whatever it raises, the till must go on trying.
            if self._told is None:
                _log.exception("opening the reader failed")
            return ReaderLost("fault", f"opening the reader failed: {error!r}")
        try:
            return self._poll(driver)
        finally:
            driver.close()

    def _poll(self, driver: Driver) -> ReaderLost | None:
        found = False
        shown: Signal | None = None
        while not self._stopping.is_set():
            try:
                if isinstance(driver, Showing) and self._signal not in (None, shown):
                    shown = self._signal
                    driver.show(shown)
                event = driver.poll(POLL_SHOWING_S if isinstance(driver, Showing) else POLL_S)
            except Exception as error:
                _log.exception("the reader %s failed", driver.name)
                return ReaderLost("fault", f"{driver.name} failed: {error!r}")
            if isinstance(event, ReaderLost):
                return event
            if not found:
                # Told, and the back-off reset, only after a poll that worked: a device that opens but does not work
                # would otherwise flicker on the screen, and be reopened five times a second for ever.
                found = True
                self._told = None
                self._backoff_s = self._backoff_min_s
                self._tell(ReaderFound(driver.name))
            if event is not None:
                self._tell(event)
        return None

    def _tell(self, event: ReaderEvent) -> None:
        try:
            self._on_event(event)
        except Exception:
            # A fault in what follows a tap must not leave the till without a reader.
            _log.exception("handling %r failed", event)
