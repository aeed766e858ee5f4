"""Which other terminals share with us now: from whom we know it, and when we heard of them last."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from uuid import UUID

# A terminal asks its hub at least every 15 s; two that are missed are no hiccup.
AROUND_S = 40.0
LOOK_S = 1.0


class Around:
    """`on_change` is called when a terminal came or fell silent."""

    def __init__(self) -> None:
        self.on_change: Callable[[], None] = lambda: None
        # By who told us (a hub, or the terminal itself), then by terminal.
        self._heard: dict[UUID, dict[UUID, float]] = {}
        self._told: frozenset[UUID] = frozenset()
        self._ever = False

    def heard(self, teller: UUID, devices: Iterable[UUID]) -> None:
        """`teller` says that these share with it now."""
        now = time.monotonic()
        self._heard.setdefault(teller, {}).update(dict.fromkeys(devices, now))
        self.look()

    def lost(self, teller: UUID) -> None:
        """We do not hear `teller` any more, nor of whom it told."""
        if self._heard.pop(teller, None):
            self.look()

    @property
    def devices(self) -> frozenset[UUID]:
        now = time.monotonic()
        return frozenset(it for told in self._heard.values() for it, at in told.items() if now - at < AROUND_S)

    @property
    def ever(self) -> bool:
        """Whether anybody was heard of since the start."""
        return self._ever

    async def watch(self) -> None:
        """Notice who fell silent, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()

    def look(self) -> None:
        """Tell if somebody came or fell silent since the last look."""
        devices = self.devices
        self._ever = self._ever or bool(devices)
        if devices != self._told:
            self._told = devices
            self.on_change()
