"""A board without a board: the firmware's own loop behind a pseudo-terminal, before cards that are models.

A test instrument: the line can be damaged, the air slow; the board can die, start again, be pulled out and plugged in
again. Any thread may set these.
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import tempfile
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Protocol, Self

from firmware_bridge import messages
from firmware_bridge.firmware.loop import Loop
from firmware_bridge.firmware.parts import Chip, ChipFailed, Clock, Outputs
from firmware_bridge.link import BoardEnd

_WAIT_S = 0.002
_CAN = messages.CAN_TRANSCEIVE | messages.CAN_LED | messages.CAN_BUZZER | messages.CAN_DISPLAY


class Card(Protocol):
    """What lies in the field, as the models of cards have it."""

    @property
    def uid(self) -> bytes: ...
    @property
    def sel_res(self) -> bytes: ...
    def power_on(self) -> None: ...
    def process(self, command: bytes) -> bytes | None: ...


class SimulatedChip(Chip):
    """A reader chip that talks with models. `failing`: it answers nothing any more. `transceived` counts."""

    name = "simulated"
    frame_max = messages.CARD_FRAME_MAX

    def __init__(self, rf_ms: float) -> None:
        self.rf_ms = rf_ms
        self.failing = False
        self.transceived = 0
        self.cards: tuple[Card, ...] = ()
        # When a look found cards last, by the monotonic clock.
        self.found_s = 0.0
        self._selected: Card | None = None

    def start(self) -> None:
        self._air()

    def rest(self) -> None:
        self._selected = None

    def look(self) -> list[tuple[bytes, int]]:
        self._air()
        cards = [card for card in self.cards if not getattr(card, "gone", False)]
        for card in cards:
            card.power_on()
        self._selected = cards[0] if len(cards) == 1 else None
        if cards:
            self.found_s = time.monotonic()
        return [(card.uid, card.sel_res[0]) for card in cards[:2]]

    def transceive(self, frame: bytes, timeout_ms: int) -> tuple[int, bytes]:
        card = self._selected
        if card is None:
            return messages.NO_CARD, b""
        self._air()
        self.transceived += 1
        answer = card.process(frame) if card in self.cards else None
        if answer is None:
            time.sleep(min(timeout_ms, self.rf_ms) / 1000)
            return messages.SILENT, b""
        return messages.DONE, answer

    def _air(self) -> None:
        if self.failing:
            raise ChipFailed("simulated")
        if self.rf_ms:
            time.sleep(self.rf_ms / 1000)


class ShownOutputs(Outputs):
    """What light, buzzer and display were told last."""

    def __init__(self) -> None:
        self.led: tuple[int, ...] = ()
        self.tones: list[tuple[int, int]] = []
        self.lines: list[str] = []

    def alone(self) -> None:
        self.lines = []

    def greet(self) -> None:
        self.lines = []

    def light(self, led: tuple[int, int, int, int, int, int], now_ms: int) -> None:  # noqa: ARG002
        self.led = led

    def sound(self, tones: list[tuple[int, int]], now_ms: int) -> None:  # noqa: ARG002
        self.tones = tones

    def show(self, lines: list[str], big: int) -> None:  # noqa: ARG002
        self.lines = lines


class _Monotonic(Clock):
    def now_ms(self) -> int:
        return time.monotonic_ns() // 1_000_000

    def sleep_ms(self, ms: int) -> None:
        time.sleep(ms / 1000)


class SimulatedBoard:
    """`port` is a file to open, the same one after each replugging; `path` is what a till's reader is called.

    `damage`: the chance of any one byte on the line, either way, to be another. `die_at`: at this TRANSCEIVE, counted
    from 0, the board dies before it answers. `seed` makes the damage the same at each run. `about`: what it says
    that it is.
    """

    def __init__(
        self, *, rf_ms: float = 0.0, damage: float = 0.0, seed: int = 0, about: str = "simulated board"
    ) -> None:
        self.chip = SimulatedChip(rf_ms)
        self.outputs = ShownOutputs()
        self.damage = damage
        self._about = about
        self.die_at: int | None = None
        self.dead = False
        self._dice = random.Random(seed)  # noqa: S311
        self._boots = 0
        self._orders: SimpleQueue[tuple[Callable[[], None], threading.Event]] = SimpleQueue()
        self._ends: tuple[int, int] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="board-")
        self.port = str(Path(self._folder.name, "port"))
        self._plug()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulated-board", daemon=True)
        self._thread.start()

    @property
    def path(self) -> str:
        return f"bridge:{self.port}"

    def present(self, *cards: Card) -> None:
        """Lay these on the reader, in place of all others."""
        for card in cards:
            card.power_on()
        self.chip.cards = cards

    def remove(self) -> None:
        self.chip.cards = ()

    def plug(self) -> None:
        """Plug it in: it starts."""
        self._order(self._plug)

    def unplug(self) -> None:
        """Pull it out: its port is gone, whoever has it open."""
        self._order(self._close)

    def restart(self) -> None:
        """The board starts again, and its port stays, as behind a serial adapter."""
        self._order(self._start)

    def close(self) -> None:
        """May be called twice."""
        self._stopping.set()
        self._thread.join()
        self._close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _order(self, act: Callable[[], None]) -> None:
        """Have the board's thread do this, between two turns."""
        done = threading.Event()
        self._orders.put((act, done))
        done.wait()

    def _plug(self) -> None:
        board, port = os.openpty()
        for end in (board, port):
            tty.setraw(end)
        os.set_blocking(board, False)
        Path(self.port).symlink_to(os.ttyname(port))
        self._ends = (board, port)
        self._start()

    def _start(self) -> None:
        self._boots += 1
        self.dead = False
        described = (_CAN, self.chip.frame_max, self._about)
        self._loop = Loop(BoardEnd(self._boots.to_bytes(4), described), self.chip, self.outputs, _Monotonic())

    def _close(self) -> None:
        if self._ends is not None:
            Path(self.port).unlink()
            for end in self._ends:
                os.close(end)
            self._ends = None

    def _run(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(Empty):
                act, done = self._orders.get_nowait()
                act()
                done.set()
            if self._ends is None:
                time.sleep(_WAIT_S)
            else:
                self._turn(self._ends[0])

    def _turn(self, line: int) -> None:
        """Once around the board's loop."""
        data = os.read(line, 4096) if select.select([line], [], [], _WAIT_S)[0] else b""
        if self.dead:
            return
        self._say(line, self._loop.hear(self._damaged(data)))
        before = self.chip.transceived
        out = self._loop.work()
        self.dead = self.die_at is not None and before <= self.die_at < self.chip.transceived
        if not self.dead:
            self._say(line, out)
        if self._loop.restart is not None:
            self._start()

    def _say(self, line: int, data: bytes) -> None:
        # A line that nobody reads is full at some time; what does not fit is lost, and sent again.
        if data:
            with contextlib.suppress(BlockingIOError):
                os.write(line, self._damaged(data))

    def _damaged(self, data: bytes) -> bytes:
        if not self.damage:
            return data
        return bytes(self._dice.randrange(256) if self._dice.random() < self.damage else byte for byte in data)
