"""What the terminal knows of its line to the server: one state, shared by the taps, the sync and the screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Link:
    """Offline until the first round succeeded, and after any call that failed until a round succeeds again.

    `on_change` is called after each change. `wanted` wakes the background work: something is to be sent or fetched.
    """

    def __init__(self, now_us: Callable[[], int], on_change: Callable[[], None] = lambda: None) -> None:
        self._now_us = now_us
        self.on_change = on_change
        self.online = False
        self.offline_since_us: int | None = now_us()
        self.wanted = asyncio.Event()
        self.snapshot_wanted = False

    def lost(self) -> None:
        """A call got no answer."""
        if self.online:
            self.online, self.offline_since_us = False, self._now_us()
            # The probing begins at once, so that the terminal is not offline for longer than the network is.
            self.wanted.set()
            self.on_change()

    def found(self) -> None:
        """A whole round of synchronisation succeeded."""
        if not self.online:
            self.online, self.offline_since_us = True, None
            self.on_change()

    def want_sync(self) -> None:
        """Rows were written."""
        self.wanted.set()

    def want_snapshot(self) -> None:
        """What the screen shows is out of date: fetch a snapshot now, not at the next turn."""
        self.snapshot_wanted = True
        self.wanted.set()
