"""The terminal's clocks: the wall, the monotonic one, and how far the server's is from ours."""

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
    """When a row was written. `offset_us`: server clock minus ours when they were last compared; None: never."""

    wall_us: int
    monotonic_ns: int
    boot: str
    offset_us: int | None


class Clock:
    """Wall clock, monotonic clock and server offset of this process."""

    def __init__(self) -> None:
        self.boot = _boot_id()
        self.offset_us: int | None = None

    def now_us(self) -> int:
        """The wall clock in microseconds since the epoch (UTC), as wrong as it may be."""
        return time.time_ns() // 1000

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def server_now_us(self) -> int:
        """Our best guess of the server's clock."""
        return self.now_us() + (self.offset_us or 0)

    def note_server_time(self, server_us: int, received_us: int) -> None:
        """The server's clock said `server_us`; the answer was here at `received_us` by our wall clock."""
        self.offset_us = server_us - received_us

    @property
    def skewed(self) -> bool:
        return self.offset_us is not None and abs(self.offset_us) > SKEW_US_MAX

    def stamp(self) -> Stamp:
        return Stamp(self.now_us(), self.monotonic_ns(), self.boot, self.offset_us)
