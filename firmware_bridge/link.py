"""Both ends of the link, without I/O: bytes and the time go in, messages and bytes come out. See PROTOCOL.md, "Link".

One message at a time is on its way in each direction, and is sent again until it is acknowledged; the other end takes
each number once. A session begins with the till's HELLO and numbers begin anew with it, so that nothing of an older
session, of another till or of a board before its restart is ever taken for something of this one.

Runs on MicroPython too. Times are milliseconds of a clock that never goes back and never wraps.
"""

from firmware_bridge import messages
from firmware_bridge.frames import Deframer, framed

RESEND_MS = 30
# A NAK says that a frame came damaged: what was sent a moment ago may still be on its way.
_NAK_MS = 4
# Pings go often as soon as one had no answer: on a line where half of all frames are lost, silence must mean something.
PING_MS, PING_AGAIN_MS = 250, 40
# How long either end believes in the other one without a word from it.
TILL_SILENT_MS, BOARD_SILENT_MS = 3000, 1000
READY_MS = 500
HELLO_MS = 50
# What waits to be acknowledged. A board that has more to tell than this has lost its till.
QUEUE_MAX = 32
PAYLOAD_MAX = 260


class LinkFull(Exception):
    """The other end has not taken what was said before."""


class End:
    """What both ends do. `session` 0: there is none."""

    def __init__(self) -> None:
        self.session = 0
        self.heard_ms = 0
        # For the figures of `comptoir bridge loss`: frames sent again.
        self.resent = 0
        self._deframer = Deframer()
        self._out = b""
        self._begin(0)

    def _begin(self, session: int) -> None:
        self.session = session
        self._queue: list[tuple[int, bytes]] = []
        self._sent_ms: int | None = None
        self._number = 1
        self._taken = 0
        self._answering = False
        self._naked_ms = 0

    @property
    def damaged(self) -> int:
        """Frames that came damaged."""
        return self._deframer.damaged

    @property
    def settled(self) -> bool:
        """All that was said has been acknowledged."""
        return not self._queue

    def send(self, kind: int, payload: bytes = b"") -> None:
        """Queue a message that arrives exactly once, if the session lasts. Raises LinkFull."""
        if len(self._queue) >= QUEUE_MAX:
            raise LinkFull
        self._queue.append((kind, payload))

    def say(self, kind: int, payload: bytes = b"") -> None:
        """A message that may be lost."""
        self._write(kind, self.session, 0, payload)

    def receive(self, data: bytes, now_ms: int) -> list[tuple[int, bytes]]:
        """The messages that these bytes complete, each once: kind and payload."""
        told: list[tuple[int, bytes]] = []
        damaged = self.damaged
        for body in self._deframer.feed(data):
            self._take(body, now_ms, told)
        if self.damaged != damaged and self.session and now_ms - self._naked_ms >= _NAK_MS:
            self._naked_ms = now_ms
            self.say(messages.NAK)
        return told

    def outgoing(self, now_ms: int) -> bytes:
        """What is to be written now. To be asked after each `receive` and `send`, and every few milliseconds."""
        self._tick(now_ms)
        if self.session and self._queue and (self._sent_ms is None or now_ms - self._sent_ms >= RESEND_MS):
            self.resent += self._sent_ms is not None
            self._sent_ms = now_ms
            self._write(self._queue[0][0], self.session, self._number, self._queue[0][1])
        if self._answering:
            self.say(messages.ACK)
        out, self._out = self._out, b""
        return out

    def _write(self, kind: int, session: int, number: int, payload: bytes) -> None:
        if len(payload) > PAYLOAD_MAX:
            raise ValueError("the payload is too long")
        # Every frame acknowledges what has been taken so far.
        self._answering = False
        self._out += framed(bytes([kind, session >> 8, session & 0xFF, number, self._taken]) + payload)

    def _take(self, body: bytes, now_ms: int, told: list[tuple[int, bytes]]) -> None:
        if len(body) < 5:
            return
        kind, session, number, taken = body[0], body[1] << 8 | body[2], body[3], body[4]
        payload = body[5:]
        if kind in (messages.HELLO, messages.WELCOME, messages.READY):
            told.extend(self._greeted(kind, session, payload, now_ms))
            return
        if not session or session != self.session:
            self._strange(now_ms)
            return
        self.heard_ms = now_ms
        if self._queue and self._sent_ms is not None and taken == self._number:
            self._queue.pop(0)
            self._number = self._number % 255 + 1
            self._sent_ms = None
        if number:
            self._answering = True
            if number == self._taken % 255 + 1:
                self._taken = number
                told.append((kind, payload))
        elif kind == messages.NAK:
            if self._sent_ms is not None and now_ms - self._sent_ms >= _NAK_MS:
                self._sent_ms = now_ms - RESEND_MS
        elif kind == messages.PING:
            self.say(messages.PONG, payload)
        elif kind != messages.ACK:
            told.append((kind, payload))

    def _greeted(self, kind: int, session: int, payload: bytes, now_ms: int) -> list[tuple[int, bytes]]:
        raise NotImplementedError

    def _strange(self, now_ms: int) -> None:
        raise NotImplementedError

    def _tick(self, now_ms: int) -> None:
        raise NotImplementedError


class BoardEnd(End):
    """The board's end. A new session is told as HELLO, its end as BYE: whatever was seen before is not valid any more.

    `describe`: what WELCOME says of the board: what it can do, the longest card frame, and words.
    """

    def __init__(self, boot: bytes, describe: tuple[int, int, str]) -> None:
        super().__init__()
        self.describe = describe
        self._boot = boot
        self._nonce = b""
        self._version = 0
        # Sessions of one start are numbered; where the numbers begin is up to chance.
        self._last_session = boot[0] << 8 | boot[1]
        self._ready_ms = -READY_MS

    def _greeted(self, kind: int, session: int, payload: bytes, now_ms: int) -> list[tuple[int, bytes]]:
        if kind != messages.HELLO or session:
            return []
        try:
            nonce, oldest, newest = messages.read_hello(payload)
        except messages.BadMessage:
            return []
        told: list[tuple[int, bytes]] = []
        spoken = messages.version(oldest, newest)
        if spoken and not (self.session and nonce == self._nonce):
            self._nonce = nonce
            self._last_session = self._last_session % 0xFFFF + 1
            self._begin(self._last_session)
            told.append((messages.HELLO, b""))
        if spoken:
            self.heard_ms = now_ms
        said = messages.welcome(nonce, spoken, self._boot, *self.describe)
        self._write(messages.WELCOME, self.session if spoken else 0, 0, said)
        return told

    def _strange(self, now_ms: int) -> None:
        # A till that still believes in a session of before a restart: tell it, but not once for each frame.
        if not self.session:
            self._ready_ms = min(self._ready_ms, now_ms - READY_MS + HELLO_MS)

    def _tick(self, now_ms: int) -> None:
        if not self.session and now_ms - self._ready_ms >= READY_MS:
            self._ready_ms = now_ms
            self._write(messages.READY, 0, 0, self._boot)

    def lonely(self, now_ms: int) -> bool:
        """The till has not been heard for so long that it is gone."""
        return self.session != 0 and now_ms - self.heard_ms >= TILL_SILENT_MS

    def end(self) -> None:
        """The session is over; what was not acknowledged is forgotten."""
        self._begin(0)


class TillEnd(End):
    """The till's end of one session. `nonce`: four random bytes. `lost` says why the session is over, `silent` that
    nothing was heard.

    `board` is what WELCOME said: version, boot, what it can do, longest card frame, words; None until then.
    """

    def __init__(self, nonce: bytes) -> None:
        super().__init__()
        self.lost: str | None = None
        self.silent = False
        self.board: tuple[int, bytes, int, int, str] | None = None
        self._nonce = nonce
        self._hello_ms: int | None = None
        self._ping_ms = 0
        self._looked_ms = 0

    def _greeted(self, kind: int, session: int, payload: bytes, now_ms: int) -> list[tuple[int, bytes]]:
        if kind == messages.READY and self.session:
            self.lost = "the board has started again"
        if kind != messages.WELCOME or self.board is not None:
            return []
        try:
            nonce, spoken, boot, can, frame_max, about = messages.read_welcome(payload)
        except messages.BadMessage:
            return []
        if nonce != self._nonce:
            return []
        self.board = (spoken, boot, can, frame_max, about)
        if not spoken or not session:
            self.lost = "the board and the till have no version of the protocol in common"
            return []
        self._begin(session)
        self.heard_ms = now_ms
        return []

    def _strange(self, now_ms: int) -> None:
        """Something of another session: older than this one, and so of no use."""

    def _tick(self, now_ms: int) -> None:
        away, self._looked_ms = now_ms - self._looked_ms > PING_MS, now_ms
        if away:
            # A till that was away itself (stopped, or busy elsewhere) can't know whether the board was silent.
            self.heard_ms = max(self.heard_ms, now_ms - PING_MS)
        if self.lost is not None:
            return
        if self.board is None:
            if self._hello_ms is None or now_ms - self._hello_ms >= HELLO_MS:
                self._hello_ms = now_ms
                self._write(messages.HELLO, 0, 0, messages.hello(self._nonce))
        elif now_ms - self.heard_ms >= BOARD_SILENT_MS:
            self.lost, self.silent = "the board does not answer", True
        elif now_ms - self.heard_ms >= PING_MS and now_ms - self._ping_ms >= PING_AGAIN_MS:
            self._ping_ms = now_ms
            self.say(messages.PING)
