"""The firmware bridge's part of `comptoir bench readers`: the firmware's own loop behind a pseudo-terminal, cards that
are models, and the till's own reader and driver."""

from __future__ import annotations

import random
import time
from queue import Empty, Queue
from typing import TYPE_CHECKING

from readers.bench.reading import next_told, reading

if TYPE_CHECKING:
    from readers.taps import ReaderEvent

DAMAGE = 0.05
_WAIT_S = 5.0
_KEY, _OTHER, _UID = bytes(range(16)), bytes(16), bytes.fromhex("04a1b2c3d4e580")


def events_s(taps: int) -> list[float]:
    """Seconds from the board's having found a card to the till's being told, each tap, on a line without damage."""
    from firmware_bridge.simulator import SimulatedBoard  # noqa: PLC0415
    from readers.emulator import UidCard  # noqa: PLC0415
    from readers.taps import CardGone, CardSeen, ReaderFound  # noqa: PLC0415

    found = []
    with SimulatedBoard() as board, reading(board.path, {}) as told:
        next_told(told, ReaderFound)
        for _ in range(taps):
            board.present(UidCard(_UID))
            next_told(told, CardSeen)
            found.append(time.monotonic() - board.chip.found_s)
            board.remove()
            next_told(told, CardGone)
    return found


def auth_s(taps: int, rf_ms: float) -> list[float]:
    """Seconds from the card in the field to the till's having proven it, each tap."""
    from app.rules.chips.keyring import CardKey  # noqa: PLC0415
    from firmware_bridge.simulator import SimulatedBoard  # noqa: PLC0415
    from readers.emulator import Ntag424  # noqa: PLC0415
    from readers.taps import CardGone, CardSeen, ReaderFound  # noqa: PLC0415

    dice, found = random.Random(1), []  # noqa: S311
    card = Ntag424(_UID, (_OTHER, _KEY, _OTHER, _OTHER, _OTHER))
    keys = {_UID: CardKey("ntag424", _KEY, 1)}
    with SimulatedBoard(rf_ms=rf_ms) as board, reading(board.path, keys) as told:
        next_told(told, ReaderFound)
        for _ in range(taps):
            time.sleep(dice.uniform(0, 0.05))
            laid = time.monotonic()
            board.present(card)
            seen = next_told(told, CardSeen)
            found.append(time.monotonic() - laid)
            if seen.assurance != "A":
                raise RuntimeError(f"the card was read at level {seen.assurance} instead of A")
            board.remove()
            next_told(told, CardGone)
    return found


def lost_and_doubled(taps: int) -> tuple[int, int]:
    """Of the comings and goings of so many cards, on a line that damages 5 bytes of 100: not told, told too often."""
    from firmware_bridge.simulator import SimulatedBoard  # noqa: PLC0415
    from readers.emulator import UidCard  # noqa: PLC0415
    from readers.taps import CardGone, CardSeen, ReaderFound  # noqa: PLC0415

    lost = doubled = 0

    def awaited(told: Queue[ReaderEvent], kind: type[CardSeen | CardGone], uid: bytes) -> None:
        nonlocal lost, doubled
        deadline = time.monotonic() + _WAIT_S
        while True:
            try:
                event = told.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                lost += 1
                return
            if isinstance(event, kind) and event.uid == uid:
                return
            doubled += isinstance(event, CardSeen | CardGone)

    with SimulatedBoard(damage=DAMAGE) as board, reading(board.path, {}) as told:
        next_told(told, ReaderFound)
        for number in range(taps):
            card = UidCard(b"\x04" + number.to_bytes(6))
            board.present(card)
            awaited(told, CardSeen, card.uid)
            board.remove()
            awaited(told, CardGone, card.uid)
        time.sleep(0.2)
        while not told.empty():
            doubled += isinstance(told.get(), CardSeen | CardGone)
    return lost, doubled
