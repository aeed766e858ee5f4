"""A till's session with a board, over a port: asks, is told, and notices when the board is gone."""

from __future__ import annotations

import secrets
import time
from collections import deque
from typing import NamedTuple, Protocol, Self

from firmware_bridge import messages
from firmware_bridge.link import TillEnd
from firmware_bridge.port import Port

# A board that is reset by the opening of its port takes up to two seconds to start MicroPython.
WELCOME_S = 3.0
# Beyond the time that the card has: the line, with all that is sent again on it.
ANSWER_S = 0.9
# How often the link is looked after: while something waits to be acknowledged, and otherwise.
_STEP_S, _IDLE_S = 0.010, 0.040

Message = tuple[int, bytes]


class BoardLost(Exception):
    """The session is over: the board is silent or has started again. The message is an English sentence for the log."""

    def __init__(self, detail: str, *, silent: bool = False) -> None:
        super().__init__(detail)
        self.silent = silent


class Bytes(Protocol):
    """What a session wants of a port."""

    def read(self, timeout_s: float) -> bytes: ...
    def write(self, data: bytes) -> None: ...
    def close(self) -> None: ...


class BoardInfo(NamedTuple):
    """What a board says of itself. `can`: bits of messages.CAN_*; `frame_max`: bytes of a card's frame."""

    version: int
    boot: bytes
    can: int
    frame_max: int
    about: str


class Session:
    """One session. All calls come from one thread; OSError is the port's."""

    def __init__(self, port: Bytes) -> None:
        self._port = port
        self._end = TillEnd(secrets.token_bytes(4))
        self._told: deque[Message] = deque()
        self._number = 0

    @classmethod
    def open(cls, file: str, *, within_s: float = WELCOME_S) -> Self:
        """Open the port and meet the board. Raises OSError and BoardLost."""
        session = cls(Port(file))
        try:
            session.meet(within_s)
        except BaseException:
            session.close()
            raise
        return session

    @property
    def board(self) -> BoardInfo:
        if self._end.board is None:
            raise BoardLost("the board has not been met yet")
        return BoardInfo(*self._end.board)

    @property
    def resent(self) -> int:
        """Messages of ours that were sent again."""
        return self._end.resent

    @property
    def damaged(self) -> int:
        """Frames that came damaged."""
        return self._end.damaged

    def meet(self, within_s: float) -> None:
        """Begin the session. Raises OSError, and BoardLost where no board answers."""
        deadline = time.monotonic() + within_s
        while not self._end.session:
            self._step(_STEP_S)
            if time.monotonic() >= deadline:
                raise BoardLost("nobody answers there in the protocol of the bridge", silent=True)

    def next(self, timeout_s: float) -> Message | None:
        """The next message of the board; None: there is none within `timeout_s`. Raises OSError and BoardLost."""
        deadline = time.monotonic() + timeout_s
        while not self._told:
            left_s = deadline - time.monotonic()
            self._step(max(0.0, min(_STEP_S if not self._end.settled else _IDLE_S, left_s)))
            if left_s <= 0 and not self._told:
                return None
        return self._told.popleft()

    def send(self, kind: int, payload: bytes) -> None:
        """Tell the board; it arrives exactly once, or BoardLost is raised here or later. Also LinkFull."""
        self._end.send(kind, payload)
        self._write()

    def ping(self, payload: bytes) -> None:
        """Ask the board to say the same; either may be lost."""
        self._end.say(messages.PING, payload)
        self._write()

    def transceive(self, frame: bytes, timeout_ms: int) -> tuple[int, bytes]:
        """One frame to the selected card: status and answer. Raises OSError and BoardLost.

        What else the board tells meanwhile is kept for `next`.
        """
        self._number = (self._number + 1) & 0xFF
        self.send(messages.TRANSCEIVE, messages.transceive(self._number, timeout_ms, frame))
        kept: deque[Message] = deque()
        deadline = time.monotonic() + timeout_ms / 1000 + ANSWER_S
        try:
            while (told := self.next(deadline - time.monotonic())) is not None:
                if told[0] != messages.TRANSCEIVED:
                    kept.append(told)
                    continue
                number, status, answer = messages.read_transceived(told[1])
                if number == self._number:
                    return status, answer
        except messages.BadMessage as error:
            raise BoardLost(f"the board says what is no answer: {error}") from error
        finally:
            self._told.extendleft(reversed(kept))
        raise BoardLost("the board does not answer what it was asked", silent=True)

    def flush(self, timeout_s: float) -> bool:
        """Wait until all that was sent has been taken; False: not within `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while not self._end.settled:
            self._step(_STEP_S)
            if time.monotonic() >= deadline:
                return False
        return True

    def close(self) -> None:
        """End the session and let go of the port. May be called twice, and never raises."""
        try:
            if self._end.session and self._end.lost is None:
                self._end.say(messages.BYE)
                self._write()
        except (OSError, ValueError):
            pass
        self._port.close()

    def _step(self, timeout_s: float) -> None:
        self._write()
        data = self._port.read(timeout_s)
        # Answers to the link's own pings are no news.
        self._told.extend(it for it in self._end.receive(data, _now_ms()) if it != (messages.PONG, b""))
        self._write()
        if self._end.lost is not None:
            raise BoardLost(self._end.lost, silent=self._end.silent)

    def _write(self) -> None:
        self._port.write(self._end.outgoing(_now_ms()))


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
