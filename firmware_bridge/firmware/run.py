"""The firmware on a board: the loop between its serial port and its parts. Under MicroPython only."""

import os
import select
import sys
import time

import machine
import micropython

from firmware_bridge import FIRMWARE, messages
from firmware_bridge.firmware import boards, main
from firmware_bridge.firmware.loop import Loop
from firmware_bridge.firmware.parts import Clock
from firmware_bridge.link import BoardEnd

_WAIT_MS = 2
_PIECE = 256
_LAST_WORD_MS = 50
# Longer than any card may take; the longest that an RP2040 can watch is 8.3 s.
_WATCHDOG_MS = 8000


class Ticks(Clock):
    """MicroPython's milliseconds, which wrap after some days, made to go on."""

    def __init__(self) -> None:
        self._ms = 0
        self._last: int = time.ticks_ms()  # type: ignore[attr-defined]

    def now_ms(self) -> int:
        now: int = time.ticks_ms()  # type: ignore[attr-defined]
        self._ms += time.ticks_diff(now, self._last)  # type: ignore[attr-defined]
        self._last = now
        return self._ms

    def sleep_ms(self, ms: int) -> None:
        time.sleep_ms(ms)  # type: ignore[attr-defined]


class Console:
    """The port that MicroPython's prompt is on: USB, or the UART behind a board's USB chip."""

    def __init__(self) -> None:
        # A byte 03 in a frame is no Ctrl-C.
        micropython.kbd_intr(-1)
        self._in = sys.stdin.buffer
        self._out = sys.stdout.buffer
        self._poll = select.poll()
        self._poll.register(sys.stdin, select.POLLIN)

    def read(self) -> bytes:
        data = b""
        wait_ms = _WAIT_MS
        while len(data) < _PIECE and self._poll.poll(wait_ms):
            byte = self._in.read(1)
            if not byte:
                break
            data += byte
            wait_ms = 0
        return data

    def write(self, data: bytes) -> None:
        if data:
            self._out.write(data)


def run(root: str, slot: str) -> None:
    """Until a RESET, after which the board starts again. `slot`: the folder that this version was started from."""
    settings = boards.settings(main.read(root + "board.json"))
    clock = Ticks()
    chip = boards.chip(settings, clock)
    panel = boards.panel(settings)
    about = "comptoir " + FIRMWARE + slot + ", " + sys.platform + ", " + chip.name
    end = BoardEnd(os.urandom(4), (panel.can | messages.CAN_TRANSCEIVE, chip.frame_max, about))
    loop = Loop(end, chip, panel, clock)
    console = Console()
    watchdog = machine.WDT(timeout=_WATCHDOG_MS)
    confirmed = False
    try:
        while loop.restart is None:
            watchdog.feed()
            console.write(loop.hear(console.read()))
            console.write(loop.work())
            if loop.met and not confirmed:
                confirmed = True
                main.confirm(root)
    except Exception as error:
        # The till is told, in as many words as it can log; then it starts anew.
        if end.session:
            end.send(messages.ERROR, messages.error(messages.INTERNAL, repr(error)))
            console.write(end.outgoing(clock.now_ms()))
        raise
    # What acknowledges the RESET is still on its way.
    clock.sleep_ms(_LAST_WORD_MS)
    if loop.restart == messages.LOADER:
        machine.bootloader()
    if loop.restart == messages.STOP:
        main.write(root + main.STAY, "")
    machine.reset()
