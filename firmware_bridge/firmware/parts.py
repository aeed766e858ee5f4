"""What the board's loop wants of a reader chip, of light, buzzer and display, and of a clock. Runs on MicroPython."""


class ChipFailed(Exception):
    """The chip does not answer, or not as its data sheet says."""


class Chip:
    """A reader chip. `frame_max`: the longest frame of a card that it takes, in bytes without CRC.

    All but `rest` raise ChipFailed.
    """

    name = ""
    frame_max = 0

    def start(self) -> None:
        """Bring it up, field off; also after it failed."""
        raise NotImplementedError

    def look(self) -> list[tuple[bytes, int]]:
        """UID and SAK of the cards in the field, two at most. One that is alone is selected afterwards."""
        raise NotImplementedError

    def transceive(self, frame: bytes, timeout_ms: int) -> tuple[int, bytes]:
        """One frame to the selected card: status (of `messages`), and its answer without CRC."""
        raise NotImplementedError

    def rest(self) -> None:
        """Field off, whatever state the chip is in. Never raises."""
        raise NotImplementedError


class Outputs:
    """Light, buzzer and display; a board without one of them takes it as done."""

    def alone(self) -> None:
        """There is no till."""

    def greet(self) -> None:
        """A till is there, and has not said yet what is to be shown."""

    def light(self, led: tuple[int, int, int, int, int, int], now_ms: int) -> None:
        """As LED says."""

    def sound(self, tones: list[tuple[int, int]], now_ms: int) -> None:
        """As BUZZER says."""

    def show(self, lines: list[str], big: int) -> None:
        """As DISPLAY says."""

    def tick(self, now_ms: int) -> None:
        """Go on with what blinks and sounds."""


class Clock:
    """Milliseconds that never go back and never wrap."""

    def now_ms(self) -> int:
        raise NotImplementedError

    def sleep_ms(self, ms: int) -> None:
        raise NotImplementedError


class Bus:
    """A chip on SPI."""

    def transfer(self, out: bytes) -> bytes:
        """Clock these bytes out and as many in, with the chip selected for that time."""
        raise NotImplementedError


class TwoWire:
    """An I2C bus. Raises OSError where nobody acknowledges."""

    def write(self, address: int, data: bytes) -> None:
        raise NotImplementedError

    def read(self, address: int, size: int) -> bytes:
        raise NotImplementedError
