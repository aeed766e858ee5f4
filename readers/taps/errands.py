"""What another thread wants done with the card on a reader: done in the reader's own thread, at its next look."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from readers.taps.events import CardSilent, ReaderFault

T = TypeVar("T")
Work = Callable[[Callable[[bytes], bytes]], T]
"""Asks a card that was just selected, frame by frame; may raise what an exchange raises, and whatever else."""

# A card that lies badly may slip more than once.
TRIES: Final = 3


@dataclass(slots=True)
class _Errand:
    uid: bytes
    work: Work[Any]
    done: Future[Any]
    tries: int = TRIES


class Errands:
    """One at a time; a new one takes the place of one that nobody waits for any more. `served`: by the driver that is
    open; where it is not, nothing that is asked is ever done."""

    def __init__(self) -> None:
        self.served = False
        self._lock = threading.Lock()
        self._wanted: _Errand | None = None
        self._wake = threading.Event()

    def ask(self, uid: bytes, work: Work[T]) -> Future[T]:
        """Have `work` done with the card that lies there, if it is this one. CardSilent: it left before or meanwhile,
        and may have done anything of it. Any thread may call."""
        errand = _Errand(uid, work, Future())
        with self._lock:
            before, self._wanted = self._wanted, errand
            self._wake.set()
        if before is not None:
            before.done.cancel()
        return errand.done

    # In the reader's thread

    @property
    def wanted(self) -> bool:
        return self._wanted is not None

    def attend(self, present: bytes | None, exchange: Callable[[bytes], bytes]) -> None:
        """This card lies there, ready to be asked; None: there is none. ReaderFault."""
        errand = self._wanted
        if errand is not None and errand.uid != present:
            self._drop(errand)
        elif present is not None:
            self.serve(present, exchange)

    def wait(self, timeout_s: float) -> None:
        """Until something is wanted, or the time is over."""
        self._wake.wait(timeout_s)

    def serve(self, uid: bytes, exchange: Callable[[bytes], bytes]) -> None:
        """This card was just selected. ReaderFault."""
        errand = self._take(uid)
        if errand is None:
            return
        try:
            result = errand.work(exchange)
        except CardSilent as error:
            errand.tries -= 1
            if not (errand.tries and self._put_back(errand)):
                errand.done.set_exception(error)
        except ReaderFault as error:
            errand.done.set_exception(error)
            raise
        except Exception as error:
            # Whoever asked is told, and the reader goes on.
            errand.done.set_exception(error)
        else:
            errand.done.set_result(result)

    def left(self) -> None:
        """No card lies there."""
        errand = self._wanted
        if errand is not None:
            self._drop(errand)

    def _drop(self, errand: _Errand) -> None:
        """The card is not there that this was wanted of. What was wanted since is not touched."""
        with self._lock:
            if self._wanted is not errand:
                return
            self._wanted = None
            self._wake.clear()
        if errand.done.running() or errand.done.set_running_or_notify_cancel():
            errand.done.set_exception(CardSilent("the card left"))

    def _take(self, uid: bytes) -> _Errand | None:
        with self._lock:
            errand = self._wanted
            if errand is None or errand.uid != uid:
                return None
            self._wanted = None
            self._wake.clear()
        # Running already: it is tried once more.
        return errand if errand.done.running() or errand.done.set_running_or_notify_cancel() else None

    def _put_back(self, errand: _Errand) -> bool:
        """Whether nothing newer is wanted."""
        with self._lock:
            if self._wanted is None:
                self._wanted = errand
                self._wake.set()
            return self._wanted is errand
