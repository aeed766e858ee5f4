"""What the board does, a step at a time: hears the till, looks for cards, passes frames on. Runs on MicroPython.

No hardware is named here: its parts are given (see `parts`), so that the same loop runs on a board, under MicroPython
on a desk, and in the simulator. Times are milliseconds that never go back.
"""

from firmware_bridge import messages
from firmware_bridge.firmware.field import Field
from firmware_bridge.firmware.parts import Chip, ChipFailed, Clock, Outputs
from firmware_bridge.link import BoardEnd, LinkFull

# While a card lies there only its leaving is news.
LOOK_MS, LOOK_OCCUPIED_MS = 8, 40
HOLD_MS = 1000
CHIP_AGAIN_MS = 1000
# Longer than any card takes, and shorter than the till's patience.
CARD_MS_MAX = 1000


class Loop:
    """`restart` is what RESET asked for; None: go on. `met` says that a till has spoken with this firmware."""

    def __init__(self, end: BoardEnd, chip: Chip, outputs: Outputs, clock: Clock) -> None:
        self.restart: int | None = None
        self.met = False
        self._end = end
        self._chip = chip
        self._outputs = outputs
        self._clock = clock
        self._todo: list[tuple[int, bytes]] = []
        self._chip_up = False
        self._chip_at_ms = 0
        self._rest()

    def hear(self, data: bytes) -> bytes:
        """Take what came from the till. What is to be written at once, so that nobody waits for the card in vain."""
        now_ms = self._clock.now_ms()
        for kind, payload in self._end.receive(data, now_ms):
            if kind == messages.HELLO:
                self._begin(now_ms)
            elif kind == messages.BYE:
                self._leave()
            else:
                self._todo.append((kind, payload))
        return self._end.outgoing(now_ms)

    def work(self) -> bytes:
        """Do what is due. What is to be written."""
        now_ms = self._clock.now_ms()
        if self._end.lonely(now_ms):
            self._leave()
        todo, self._todo = self._todo, []
        try:
            for kind, payload in todo:
                self._attend(kind, payload)
            if self._end.session and not self._chip_up:
                self._start_chip(now_ms)
            elif self._looking and self._clock.now_ms() >= self._look_at_ms:
                self._look()
        except ChipFailed as failed:
            self._chip_failed(str(failed), now_ms)
        except LinkFull:
            self._leave()
        self._outputs.tick(self._clock.now_ms())
        return self._end.outgoing(self._clock.now_ms())

    def _begin(self, now_ms: int) -> None:
        self.met = True
        self._todo = []
        self._field = Field()
        self._looking = True
        self._look_at_ms = now_ms
        self._outputs.greet()
        if not self._chip_up:
            self._chip_at_ms = now_ms
            self._tell_chip_silent = True

    def _leave(self) -> None:
        self._end.end()
        self._rest()

    def _rest(self) -> None:
        self._todo = []
        self._field = Field()
        self._looking = False
        self._look_at_ms = 0
        self._tell_chip_silent = True
        self._chip.rest()
        self._outputs.alone()

    def _start_chip(self, now_ms: int) -> None:
        if now_ms < self._chip_at_ms:
            return
        self._chip.start()
        self._chip_up = True
        self._tell_chip_silent = True
        self._field = Field()

    def _chip_failed(self, words: str, now_ms: int) -> None:
        self._chip_up = False
        self._chip_at_ms = now_ms + CHIP_AGAIN_MS
        if self._tell_chip_silent:
            self._tell_chip_silent = False
            self._complain(messages.CHIP_SILENT, words)

    def _complain(self, code: int, words: str) -> None:
        try:
            self._end.send(messages.ERROR, messages.error(code, words))
        except LinkFull:
            self._leave()

    def _look(self) -> None:
        cards = self._chip.look()
        found_ms = self._clock.now_ms()
        for kind, payload in self._field.looked(cards, 0):
            self._end.send(kind, payload)
            if kind == messages.CARD_SEEN:
                # It stays selected, so that the till can ask it.
                self._look_at_ms = found_ms + HOLD_MS
        if self._look_at_ms <= found_ms:
            self._look_at_ms = found_ms + (LOOK_OCCUPIED_MS if self._field.occupied else LOOK_MS)

    def _attend(self, kind: int, payload: bytes) -> None:
        """One message of the till. What follows it is attended to as well, even if the chip fails."""
        try:
            self._obey(kind, payload)
        except messages.BadMessage as bad:
            self._complain(messages.BAD_REQUEST, str(bad))
        except ChipFailed as failed:
            self._chip_failed(str(failed), self._clock.now_ms())

    def _obey(self, kind: int, payload: bytes) -> None:
        if kind == messages.TRANSCEIVE:
            self._transceive(payload)
        elif kind == messages.FIELD:
            self._set_field(messages.one(payload), self._clock.now_ms())
        elif kind == messages.LED:
            self._outputs.light(messages.read_led(payload), self._clock.now_ms())
        elif kind == messages.BUZZER:
            self._outputs.sound(messages.read_buzzer(payload), self._clock.now_ms())
        elif kind == messages.DISPLAY:
            lines, big = messages.read_display(payload)
            self._outputs.show(lines, big)
        elif kind == messages.RESET:
            self.restart = messages.one(payload)

    def _transceive(self, payload: bytes) -> None:
        number, timeout_ms, frame = messages.read_transceive(payload)
        status, answer = messages.CHIP_FAILED, b""
        try:
            if not self._looking or not self._chip_up:
                status = messages.NO_CARD
            elif len(frame) > self._chip.frame_max:
                status = messages.TOO_LONG
            else:
                status, answer = self._chip.transceive(frame, min(timeout_ms, CARD_MS_MAX))
        finally:
            self._end.send(messages.TRANSCEIVED, messages.transceived(number, status, answer))
        if status != messages.NO_CARD:
            self._look_at_ms = self._clock.now_ms() + HOLD_MS

    def _set_field(self, mode: int, now_ms: int) -> None:
        if mode == messages.FIELD_OFF:
            self._looking = False
            self._chip.rest()
            return
        if mode == messages.FIELD_ANEW or not self._looking:
            self._field = Field()
        self._looking = True
        self._look_at_ms = now_ms
