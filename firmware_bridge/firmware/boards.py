"""Which pin is what, and the parts of a board made of MicroPython's `machine`. Under MicroPython only.

`board.json` in the board's root says what is connected; what it leaves out is as below. docs/bridge.md has the wiring.
"""

import json
import sys

from machine import I2C, PWM, SPI, Pin

from firmware_bridge.firmware.panel import Panel
from firmware_bridge.firmware.parts import Bus, Chip, ChipFailed, Clock, TwoWire
from firmware_bridge.firmware.pn532 import I2cLine, Pn532, SpiLine
from firmware_bridge.firmware.rc522 import Rc522
from firmware_bridge.firmware.ssd1306 import Display

_PINS = {
    "rp2": {"spi": 0, "sck": 18, "mosi": 19, "miso": 16, "cs": 17, "rst": 20, "i2c": 0, "sda": 4, "scl": 5}
    | {"led": [10, 11, 12], "buzzer": 15},
    "esp32": {"spi": 2, "sck": 18, "mosi": 23, "miso": 19, "cs": 5, "rst": 4, "i2c": 0, "sda": 21, "scl": 22}
    | {"led": [25, 26, 27], "buzzer": 14},
}
_SPI_HZ, _I2C_HZ = 1_000_000, 400_000


class SpiBus(Bus):
    def __init__(self, settings: dict) -> None:  # type: ignore[type-arg]
        pins = {name: Pin(settings[name]) for name in ("sck", "mosi", "miso")}
        self._spi = SPI(settings["spi"], baudrate=_SPI_HZ, polarity=0, phase=0, **pins)
        self._cs = Pin(settings["cs"], Pin.OUT, value=1)

    def transfer(self, out: bytes) -> bytes:
        answer = bytearray(len(out))
        self._cs(0)
        try:
            self._spi.write_readinto(out, answer)
        finally:
            self._cs(1)
        return bytes(answer)


class I2cWires(TwoWire):
    def __init__(self, settings: dict) -> None:  # type: ignore[type-arg]
        self._i2c = I2C(settings["i2c"], sda=Pin(settings["sda"]), scl=Pin(settings["scl"]), freq=_I2C_HZ)

    def write(self, address: int, data: bytes) -> None:
        self._i2c.writeto(address, data)

    def read(self, address: int, size: int) -> bytes:
        data: bytes = self._i2c.readfrom(address, size)
        return data


class NoChip(Chip):
    """Stands for a chip that cannot even be spoken to, so that the till is told why."""

    name = "no chip"

    def __init__(self, words: str) -> None:
        self._words = words

    def start(self) -> None:
        raise ChipFailed(self._words)

    def rest(self) -> None:
        pass


def settings(text: str) -> dict:  # type: ignore[type-arg]
    """What is connected where: this kind of board's pins, and what board.json says otherwise."""
    found = {"chip": "rc522", "display": True}
    found.update(_PINS.get(sys.platform, _PINS["rp2"]))
    try:
        found.update(json.loads(text) if text else {})
    except (ValueError, TypeError):
        found["chip"] = "board.json is no JSON"
    return found


def chip(settings: dict, clock: Clock) -> Chip:  # type: ignore[type-arg]
    kind = settings["chip"]
    try:
        if kind == "rc522":
            # Its reset pin keeps it switched off while it is low.
            Pin(settings["rst"], Pin.OUT, value=1)
            return Rc522(SpiBus(settings), clock)
        if kind == "pn532-spi":
            return Pn532(SpiLine(SpiBus(settings)), clock)
        if kind == "pn532-i2c":
            return Pn532(I2cLine(I2cWires(settings)), clock)
    except (OSError, ValueError, KeyError, TypeError) as error:
        return NoChip(kind + ": " + repr(error))
    return NoChip("no such chip: " + str(kind))


def panel(settings: dict) -> Panel:  # type: ignore[type-arg]
    """Light, buzzer and display; what is not there, or does not work, is left out."""
    led = buzzer = display = None
    try:
        if settings["led"]:
            led = [PWM(Pin(pin), freq=1000, duty_u16=0) for pin in settings["led"]]
        if settings["buzzer"] is not None:
            buzzer = PWM(Pin(settings["buzzer"]), freq=2000, duty_u16=0)
        if settings["display"]:
            display = Display(I2cWires(settings))
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return Panel(led, buzzer, display)
