"""What a reader's own light, buzzer and small display tell the customer."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol, runtime_checkable

Light = Literal["off", "card", "trouble", "paid", "refused"]
"""Nothing is asked; a card is asked for; it cannot be used as it lies there; paid; refused."""


class Signal(NamedTuple):
    """`lines`: what the display says, the first one large."""

    light: Light
    lines: tuple[str, ...] = ()


@runtime_checkable
class Showing(Protocol):
    """A driver whose reader has something to show with."""

    def show(self, signal: Signal) -> None:
        """Show this from now on. Never raises: a reader that is lost is told by the next poll."""
        ...
