"""A PN532 on a pseudo-terminal, as nfcpy's own driver opens it.

The frames (NXP UM0701-02, 6.2.1): `00 00 FF LEN LCS D4 command data DCS 00`, longer ones with FF FF and two bytes of
length; answered by ACK `00 00 FF 00 FF 00`, and then by `D5 command+1 data`.

A test instrument: line and air can be slow, bytes can be damaged, the chip can die. Any thread may set these.
"""

from __future__ import annotations

import os
import random
import select
import threading
import time
import tty
from types import TracebackType
from typing import Self

from readers.emulator.pn532_chip import ACK, Pn532Chip, framed, next_frame

BAUD = 115200
_BITS_A_BYTE = 10


class EmulatedPn532(Pn532Chip):
    """The reader before one field; `present` and `remove` are what a hand does. `path` is what `open_driver` takes.

    `baud`: how fast the line is; None: as fast as it goes. nfcpy may ask for more, and the line stays what it is.
    `rf_ms`: what each talk with a card takes in the air. `damage`: the chance of any one byte on the line, either way,
    to have a bit turned. `dead`: swallows everything. `seed` makes the damage the same at each run.
    """

    def __init__(self, *, baud: int | None = BAUD, rf_ms: float = 5.0, damage: float = 0.0, seed: int = 0) -> None:
        super().__init__(rf_ms)
        self.baud = baud
        self.damage = damage
        self.dead = False
        self._dice = random.Random(seed)  # noqa: S311
        self._chip, self._port = os.openpty()
        for end in (self._chip, self._port):
            tty.setraw(end)
        # This end stays open, so that the port outlives a driver that closes it.
        self.port = os.ttyname(self._port)
        self._wake, self._wake_end = os.pipe()
        self._thread = threading.Thread(target=self._run, name=f"pn532-{self.port}", daemon=True)
        self._thread.start()

    @property
    def path(self) -> str:
        return f"tty:{self.port}:pn532"

    def close(self) -> None:
        """End the thread and free the port. May be called twice."""
        if self._thread.is_alive():
            os.write(self._wake_end, b"!")
            self._thread.join()
            for end in (self._chip, self._port, self._wake, self._wake_end):
                os.close(end)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # The line

    def _run(self) -> None:
        heard = b""
        while True:
            ready, _, _ = select.select([self._chip, self._wake], [], [])
            if self._wake in ready:
                return
            heard += self._damaged(os.read(self._chip, 4096))
            if self.dead:
                heard = b""
            while (frame := next_frame(heard)) is not None:
                taken, body = frame
                self._line(taken)
                heard = heard[taken:]
                if body:
                    self._obey(body)

    def _obey(self, body: bytes) -> None:
        self._say(ACK)
        answer = self.execute(body)
        if not self.dead:
            self._say(framed(answer))

    def _say(self, data: bytes) -> None:
        self._line(len(data))
        os.write(self._chip, self._damaged(data))

    def _line(self, count: int) -> None:
        if self.baud:
            time.sleep(count * _BITS_A_BYTE / self.baud)

    def _damaged(self, data: bytes) -> bytes:
        if not self.damage:
            return data
        return bytes(
            byte ^ (1 << self._dice.randrange(8)) if self._dice.random() < self.damage else byte for byte in data
        )
