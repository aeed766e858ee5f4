"""What a reader tells: cards that come and go, and a reader that is lost or found.

`uid` is the card's whole identifier, 4, 7 or 10 bytes. `at_us` is the wall clock in microseconds since the epoch (UTC),
`monotonic_ns` the monotonic clock of this boot; both are read when the card answered, or failed to.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

Assurance = Literal["A", "B", "C"]
"""How sure we are of the card: A authenticated by its key, B by a SUN message, C by its UID alone."""

Unusable = Literal["random_uid", "unsupported", "not_proven"]
"""Why a card is no means of payment: its UID is new at every tap (a phone), it has none that we can read, or the chip
did not know the key that the card with this UID holds (a copy)."""

Trouble = Literal["no_device", "no_permission", "busy", "silent", "unplugged", "fault"]
"""Why a reader is lost, as a code that screens translate."""


class Moment(NamedTuple):
    """One instant on both clocks: microseconds since the epoch (UTC), nanoseconds of the monotonic clock."""

    at_us: int
    monotonic_ns: int

    @classmethod
    def now(cls) -> Moment:
        return cls(time.time_ns() // 1_000, time.monotonic_ns())


@dataclass(frozen=True, slots=True)
class CardSeen:
    """A card came into the field. It is not seen again before it has left."""

    uid: bytes
    assurance: Assurance
    at_us: int
    monotonic_ns: int


@dataclass(frozen=True, slots=True)
class CardGone:
    """The card that was seen, usable or not, has left the field."""

    uid: bytes
    at_us: int
    monotonic_ns: int


@dataclass(frozen=True, slots=True)
class UnusableCard:
    """Something answered that cannot pay; `uid` is what it said, for the log, and may be empty."""

    reason: Unusable
    uid: bytes
    at_us: int
    monotonic_ns: int


@dataclass(frozen=True, slots=True)
class TwoCards:
    """Two cards answer in turn. Nothing more is seen until the field has been empty: ask for one card."""

    uids: tuple[bytes, bytes]
    at_us: int
    monotonic_ns: int


@dataclass(frozen=True, slots=True)
class ReaderLost:
    """The reader cannot be used; `detail` is an English sentence for the log."""

    reason: Trouble
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ReaderFound:
    """The reader `name` is open and looks for cards."""

    name: str


CardEvent = CardSeen | CardGone | UnusableCard | TwoCards
ReaderEvent = CardEvent | ReaderLost | ReaderFound


class ReaderFault(Exception):
    """The reader cannot be opened or used: `reason` is a code, the message an English sentence for the log."""

    def __init__(self, reason: Trouble, detail: str) -> None:
        super().__init__(detail)
        self.reason: Trouble = reason


class CardSilent(Exception):
    """The card gave no answer that can be read: it left the field, or refused the command."""


class Garbled(CardSilent):
    """The reader's own line damaged what was said, either way: the card may have done what it was told."""


class Driver(Protocol):
    """One open reader. All calls come from one thread."""

    @property
    def name(self) -> str:
        """The reader as a person would name it, for screens and logs."""
        ...

    def poll(self, timeout_s: float) -> CardEvent | ReaderLost | None:
        """The next event, or None when nothing changed for about `timeout_s` seconds.

        Never raises for what a card or a cable does. After `ReaderLost` the driver is only good for `close`.
        """
        ...

    def exchange(self, data: bytes) -> bytes:
        """Send one command frame (no CRC) to the card that the last poll saw, and return its answer.

        Raises CardSilent (Garbled, if it was the line's fault) or ReaderFault.
        """
        ...

    def close(self) -> None:
        """Let go of the device. May be called twice, and never raises."""
        ...
