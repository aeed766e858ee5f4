"""A light of three colours, a buzzer and a display, as the till wants them. Runs on MicroPython."""

from firmware_bridge import messages
from firmware_bridge.firmware.parts import Outputs

_HALF = 32768
# What can be heard, and what every board can make.
_HERTZ_MIN, _HERTZ_MAX = 50, 15000
# The last ones are a minus and the spaces within amounts, one narrow.
_LETTERS = "àâäçéèêëîïôöùûüÿœÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸŒ€’–·\u2212\u00a0\u202f"
_PLAIN = "aaaceeeeiioouuuyoAAACEEEEIIOOUUUYOE'-.-  "


def plain(text: str) -> str:
    """The text in the letters that the display's font has."""
    out = ""
    for letter in text:
        at = _LETTERS.find(letter)
        out += _PLAIN[at] if at >= 0 else letter if " " <= letter <= "~" else "?"
    return out


def lit(led: tuple[int, int, int, int, int, int], since_ms: int, now_ms: int) -> bool:
    """Whether a light that was told `led` is on now."""
    on_ms, off_ms, times = led[3:]
    round_ms = on_ms + off_ms
    if not round_ms:
        return True
    past_ms = now_ms - since_ms
    if times and past_ms >= times * round_ms:
        return False
    return past_ms % round_ms < on_ms


class Panel(Outputs):
    """`led`: three outputs of changing width: red, green, blue; `buzzer`: one; `display`: see `ssd1306`.

    Any of them may be None.
    """

    def __init__(self, led, buzzer, display) -> None:  # type: ignore[no-untyped-def]
        self.can = (
            (messages.CAN_LED if led else 0)
            | (messages.CAN_BUZZER if buzzer else 0)
            | (messages.CAN_DISPLAY if display else 0)
        )
        self._pins = led
        self._buzzer = buzzer
        self._display = display
        self._led = (0, 0, 0, 0, 0, 0)
        self._led_ms = 0
        self._shown = (0, 0, 0)
        self._tones: list[tuple[int, int]] = []
        self._tone_until_ms = 0
        self._lines: list[str] = []

    def alone(self) -> None:
        self.light((0, 0, 0, 0, 0, 0), 0)
        self._tones = []
        self._silence()
        self.show(["", "Comptoir", "", "..."], 2)

    def greet(self) -> None:
        self.show(["", "Comptoir"], 2)

    def light(self, led: tuple[int, int, int, int, int, int], now_ms: int) -> None:
        self._led, self._led_ms = led, now_ms

    def sound(self, tones: list[tuple[int, int]], now_ms: int) -> None:
        self._tones = list(tones)
        self._tone_until_ms = now_ms

    def show(self, lines: list[str], big: int) -> None:
        if self._display and lines != self._lines:
            self._lines = lines
            try:
                self._display.show([plain(line) for line in lines], big)
            except OSError:
                # A display that was pulled off is no reason to stop reading cards.
                self._display = None

    def tick(self, now_ms: int) -> None:
        colour = self._led[:3] if lit(self._led, self._led_ms, now_ms) else (0, 0, 0)
        if self._pins and colour != self._shown:
            self._shown = colour
            for pin, value in zip(self._pins, colour):  # noqa: B905
                pin.duty_u16(value * 257)
        if self._buzzer and self._tone_until_ms is not None and now_ms >= self._tone_until_ms:
            self._next_tone(now_ms)

    def _next_tone(self, now_ms: int) -> None:
        if not self._tones:
            self._silence()
            return
        hertz, ms = self._tones.pop(0)
        self._tone_until_ms = now_ms + ms
        if hertz:
            self._buzzer.freq(max(_HERTZ_MIN, min(hertz, _HERTZ_MAX)))
        self._buzzer.duty_u16(_HALF if hertz else 0)

    def _silence(self) -> None:
        if self._buzzer:
            self._buzzer.duty_u16(0)
        self._tone_until_ms = 1 << 60
