"""Readers on a microcontroller, over the firmware bridge (`firmware_bridge/PROTOCOL.md`).

The board looks for cards by itself and tells what came and went; a card that was seen stays selected until the next
poll, so that it can be asked, as with any other driver. What the board tells is fed to the Presence as if it were
polls, for that outlives the board: a card that lay there while the cable was out is not seen again.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Mapping

from app.rules.chips.keyring import CardKey
from firmware_bridge import messages
from firmware_bridge.host import BoardLost, Session
from firmware_bridge.link import LinkFull
from readers.drivers.opening import cannot_open
from readers.drivers.proofs import Proofs
from readers.taps import (
    CardEvent,
    CardGone,
    CardSilent,
    Light,
    Moment,
    Presence,
    ReaderFault,
    ReaderLost,
    Signal,
    Trouble,
    TwoCards,
)
from readers.taps.presence import EMPTY_POLLS_UNTIL_GONE, FOREIGN_POLLS_UNTIL_SWAPPED

EXCHANGE_TIMEOUT_MS = 250
_SILENCE = {
    messages.SILENT: "the card gave no answer",
    messages.NO_CARD: "no card has been selected",
    messages.GARBLED: "the card's answer was damaged in the air",
    messages.TOO_LONG: "the frame is too long for the reader",
}
# Colour, and for how long on and off in milliseconds (0: steady); tones in hertz and milliseconds.
_SHOWN: Mapping[Light, tuple[tuple[int, int, int, int, int], list[tuple[int, int]]]] = {
    "off": ((0, 0, 0, 0, 0), []),
    "card": ((0, 0, 120, 0, 0), []),
    "trouble": ((255, 90, 0, 250, 250), []),
    "paid": ((0, 255, 0, 0, 0), [(2000, 90)]),
    "refused": ((255, 0, 0, 300, 150), [(400, 150), (0, 80), (400, 250)]),
}


def open_bridge(path: str, presence: Presence, keys: Mapping[bytes, CardKey]) -> BridgeDriver:
    """Open the board at `bridge:/dev/...`. Raises ReaderFault."""
    file = path.removeprefix("bridge:")
    if not file.startswith("/"):
        file = f"/dev/{file}"
    try:
        session = Session.open(file)
    except OSError as error:
        raise cannot_open(path, error) from error
    except BoardLost as error:
        raise ReaderFault("silent" if error.silent else "fault", f"{path}: {error}") from error
    return BridgeDriver(session, path, presence, keys)


class BridgeDriver:
    """One session with a board; see `readers.taps.Driver`."""

    def __init__(self, session: Session, path: str, presence: Presence, keys: Mapping[bytes, CardKey]) -> None:
        self._session = session
        self._path = path
        self._presence = presence
        self._proofs = Proofs(keys, presence)
        presence.errands.served = True
        self._pending: deque[CardEvent] = deque()
        # What the board waits for before it looks again: it holds the card that it has told us of.
        self._release: int | None = None

    @property
    def name(self) -> str:
        return f"{self._session.board.about} at {self._path}"

    def poll(self, timeout_s: float) -> CardEvent | ReaderLost | None:
        try:
            return self._next(timeout_s)
        except ReaderFault as error:
            return ReaderLost(error.reason, str(error))
        except (OSError, BoardLost, LinkFull, messages.BadMessage) as error:
            return ReaderLost(_trouble(error), f"{self._path}: {error}")

    def exchange(self, data: bytes) -> bytes:
        try:
            status, answer = self._session.transceive(data, EXCHANGE_TIMEOUT_MS)
        except (OSError, BoardLost, LinkFull) as error:
            raise ReaderFault(_trouble(error), f"{self._path}: {error}") from error
        if status == messages.DONE:
            return answer
        if status in _SILENCE:
            raise CardSilent(_SILENCE[status])
        raise ReaderFault("silent", f"{self._path}: the reader chip failed")

    def show(self, signal: Signal) -> None:
        led, tones = _SHOWN[signal.light]
        can = self._session.board.can
        # What is lost with the board is shown again to the next one.
        with contextlib.suppress(OSError, BoardLost, LinkFull):
            if can & messages.CAN_LED:
                self._session.send(messages.LED, messages.led(*led))
            if can & messages.CAN_BUZZER and tones:
                self._session.send(messages.BUZZER, messages.buzzer(tones))
            if can & messages.CAN_DISPLAY:
                self._session.send(messages.DISPLAY, messages.display("\n".join(signal.lines), 1))

    def close(self) -> None:
        self._session.close()

    def _next(self, timeout_s: float) -> CardEvent | None:
        errands = self._presence.errands
        if errands.wanted and self._release is None:
            # The board's last look left the card selected. A card that slips is selected anew before the next poll.
            self._release = messages.FIELD_LOOK
            errands.attend(self._presence.present, self.exchange)
        while not self._pending:
            if self._release is not None:
                self._session.send(messages.FIELD, bytes([self._release]))
                self._release = None
            told = self._session.next(timeout_s)
            if told is None:
                return None
            self._pending.extend(self._happened(*told))
        return self._pending.popleft()

    def _happened(self, kind: int, payload: bytes) -> list[CardEvent]:
        """What a message of the board means. Raises ReaderFault, BadMessage."""
        if kind == messages.CARD_SEEN:
            uid, _, age_ms = messages.read_card(payload)
            return self._seen(uid, _ago(age_ms))
        if kind == messages.CARD_GONE:
            at = _ago(messages.read_card(payload)[2])
            return [event for _ in range(EMPTY_POLLS_UNTIL_GONE) for event in self._presence.empty(at)]
        if kind == messages.TWO_CARDS:
            one, other, age_ms = messages.read_two_cards(payload)
            if self._presence.knows(other):
                one, other = other, one
            looks = [one] * FOREIGN_POLLS_UNTIL_SWAPPED + [other, one]
            events = [event for uid in looks for event in self._presence.answered(uid, _ago(age_ms))]
            # Looked at one by one, the first of them would be seen, and might pay.
            return [event for event in events if isinstance(event, CardGone | TwoCards)]
        if kind == messages.ERROR:
            code, words = messages.read_error(payload)
            if code == messages.CHIP_SILENT:
                raise ReaderFault("silent", f"{self._path}: the reader chip behind the board does not answer: {words}")
            if code == messages.INTERNAL:
                raise ReaderFault("fault", f"{self._path}: the firmware failed: {words}")
        return []

    def _seen(self, uid: bytes, at: Moment) -> list[CardEvent]:
        self._release = messages.FIELD_LOOK
        try:
            proven = self._proofs.of(uid, self.exchange)
        except CardSilent:
            # It left before it had proved itself; if it is still there, the board tells so again.
            self._release = messages.FIELD_ANEW
            return []
        polls = FOREIGN_POLLS_UNTIL_SWAPPED if self._presence.occupied and not self._presence.knows(uid) else 1
        return [event for _ in range(polls) for event in self._presence.answered(uid, at, proven)]


def _trouble(error: Exception) -> Trouble:
    if isinstance(error, BoardLost):
        return "silent" if error.silent else "unplugged"
    return "unplugged" if isinstance(error, OSError) else "fault"


def _ago(age_ms: int) -> Moment:
    now = Moment.now()
    return Moment(now.at_us - age_ms * 1_000, now.monotonic_ns - age_ms * 1_000_000)
