"""What a card may be asked for beside paying a basket: each act is a module in readers.till.acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from readers.journal import Clock, Journal
from readers.sync import Link, Server
from readers.terminal.counter import Ask, Card
from readers.terminal.shop import Shop
from readers.terminal.view import Amount
from readers.till.shelf import SnapshotShelf
from readers.till.tap import Ended, Tap


@dataclass(frozen=True, slots=True)
class Tools:
    """What acts work with."""

    journal: Journal
    shelf: SnapshotShelf
    tap: Tap
    server: Server
    link: Link
    clock: Clock


class Act(Protocol):
    """One act. `right`: which staff need (None: anybody signed in). `journalled`: an intent is written before a card is
    asked for. `looks`: it changes nothing, so the card may act again without leaving the reader."""

    @property
    def right(self) -> str | None: ...
    @property
    def journalled(self) -> bool: ...
    @property
    def looks(self) -> bool: ...

    def works_offline(self, shop: Shop, /) -> bool: ...

    def prepare(self, shop: Shop, wish: Mapping[str, object], /) -> tuple[object, tuple[Amount, ...]]:
        """(what `settle` needs of the wish, the amounts that the screen says). TillError: malformed, and its own."""
        ...

    async def settle(self, ask: Ask, card: Card) -> Ended:
        """Do it with the card that was just laid down. Never raises; green only after its row was committed."""
        ...
