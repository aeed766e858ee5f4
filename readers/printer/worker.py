"""Printing beside the till: a thread takes slips one after the other, and tells how it went. No sale ever waits for it.

A slip that could not be printed is dropped and said: staff press again once there is paper, and nothing comes out by
itself an hour later.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, Literal

import structlog

from readers.printer.device import check_path, open_printer, put, tells_paper
from readers.terminal.slip import Slip

State = Literal["ok", "busy", "no_paper", "absent"]

WAITING_MAX = 10
_NO_PAPER = 0

_log = structlog.get_logger(__name__)


class Printer:
    """`tell` is called from the printer's thread with each new state. PrinterPathWrong."""

    def __init__(self, path: str, tell: Callable[[State], None], opener: Callable[[str], Any] = open_printer) -> None:
        self._path = check_path(path)
        self._tell = tell
        self._opener = opener
        self._slips: queue.Queue[Slip | None] = queue.Queue(WAITING_MAX)
        # A printer that hangs must not keep the agent from stopping.
        self._thread = threading.Thread(target=self._run, name="printer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Drop what waits; the slip that is being printed has a moment to end."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._slips.get_nowait()
        self._slips.put(None)
        self._thread.join(1)

    def print(self, slip: Slip) -> bool:
        """Have it printed soon; False where too many wait already."""
        try:
            self._slips.put_nowait(slip)
        except queue.Full:
            return False
        return True

    def _run(self) -> None:
        while (slip := self._slips.get()) is not None:
            self._tell("busy")
            self._tell(self._one(slip))

    def _one(self, slip: Slip) -> State:
        """Opened for each slip: a printer that was switched off and on again is found again."""
        try:
            printer = self._opener(self._path)
            printer.open()
            try:
                if tells_paper(self._path) and _paper(printer) == _NO_PAPER:
                    return "no_paper"
                put(printer, slip)
            finally:
                printer.close()
        except Exception as error:
            # Whatever a driver or a cable does: the till goes on, and says that nothing was printed.
            _log.warning("not_printed", printer=self._path, why=str(error))
            return "absent"
        return "ok"


def _paper(printer: Any) -> int | None:
    """2: enough, 1: near its end, 0: none. None: this printer does not say."""
    try:
        return int(printer.paper_status())
    except Exception as error:
        _log.info("printer_does_not_tell_paper", why=str(error))
        return None
