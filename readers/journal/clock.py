"""What time it is at a terminal, whatever its own wall clock says."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

# terminal.md, "Journal": beyond this the screen says that the clock is wrong.
SKEW_US_MAX = 5 * 60 * 1_000_000


def _boot_id() -> str:
    """The kernel's id of this boot. Elsewhere than on Linux one per process: then monotonic times of two processes
    are never compared, which is all that it is for."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return str(uuid4())


@dataclass(frozen=True, slots=True)
class Stamp:
    """When a row was written. `offset_us`: how far the server's clock was ahead of our wall clock; None: not known."""

    wall_us: int
    monotonic_ns: int
    boot: str
    offset_us: int | None


class Clock:
    """The wall clock of a terminal may be off by a day, and somebody may set it in the middle of the night. So the time
    is the server's, as it was last heard, carried on by the monotonic clock, which nobody sets. Before the server was
    ever heard it is the wall clock's, unless that stands before our last row."""

    def __init__(self) -> None:
        self.boot = _boot_id()
        self._heard_us, self._heard_ns = self.wall_us(), self.monotonic_ns()
        self._from_server = False

    def wall_us(self) -> int:
        """This machine's wall clock in microseconds since the epoch (UTC), as wrong as it may be."""
        return time.time_ns() // 1000

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def now_us(self) -> int:
        """What time it is, in microseconds since the epoch (UTC), as well as we know."""
        carried_us = self._heard_us + (self.monotonic_ns() - self._heard_ns) // 1000
        return carried_us if self._from_server else max(carried_us, self.wall_us())

    def note_server_time(self, server_us: int) -> None:
        """The server's clock says `server_us` now."""
        self._heard_us, self._heard_ns, self._from_server = server_us, self.monotonic_ns(), True

    def go_on_from(self, last: Stamp) -> None:
        """What a start can know of the time: that of the last row that was written before. In the same boot its
        monotonic clock still runs. In another one, time has passed since, nobody knows how much."""
        last_us = last.wall_us + (last.offset_us or 0)
        if last.boot == self.boot and last.offset_us is not None:
            self._heard_us, self._heard_ns, self._from_server = last_us, last.monotonic_ns, True
        elif last_us > self._heard_us:
            self._heard_us = last_us

    @property
    def offset_us(self) -> int | None:
        """How far the server's clock is ahead of our wall clock; None: they were never compared."""
        return self.now_us() - self.wall_us() if self._from_server else None

    @property
    def skewed(self) -> bool:
        return abs(self.now_us() - self.wall_us()) > SKEW_US_MAX

    def stamp(self) -> Stamp:
        return Stamp(self.wall_us(), self.monotonic_ns(), self.boot, self.offset_us)
