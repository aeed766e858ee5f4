"""A display of 128 x 64 points with an SSD1306 (Solomon Systech data sheet rev. 1.1) on I2C. Under MicroPython only."""

import framebuf

from firmware_bridge.firmware.parts import TwoWire

_ADDRESS = 0x3C
_WIDTH, _HEIGHT, _LETTER = 128, 64, 8
_GAP = 2
# Off; clock, 64 lines, no offset, start line 0, charge pump on, addresses along the rows, turned so that the pins are
# above; contrast, precharge, level; not inverted, as the memory says; on.
_START = bytes.fromhex("aed580a83fd300408d142000a1c8da12 81cfd9f1db30a4a6af")
_WHOLE = bytes([0x21, 0, _WIDTH - 1, 0x22, 0, _HEIGHT // 8 - 1])


class Display:
    """Raises OSError where no display answers."""

    def __init__(self, wires: TwoWire) -> None:
        self._wires = wires
        self._memory = bytearray(_WIDTH * _HEIGHT // 8)
        self._frame = framebuf.FrameBuffer(self._memory, _WIDTH, _HEIGHT, framebuf.MONO_VLSB)
        wires.write(_ADDRESS, b"\x00" + _START)

    def show(self, lines: list[str], big: int) -> None:
        """Lines from the top; bit n of `big`: line n in double size. What does not fit is cut."""
        self._frame.fill(0)
        top = 0
        for number, line in enumerate(lines):
            if big >> number & 1:
                self._write_big(line, top)
                top += 2 * _LETTER + _GAP
            else:
                self._frame.text(line, 0, top)
                top += _LETTER + _GAP
        self._wires.write(_ADDRESS, b"\x00" + _WHOLE)
        self._wires.write(_ADDRESS, b"\x40" + bytes(self._memory))

    def _write_big(self, line: str, top: int) -> None:
        width = _LETTER * min(len(line), _WIDTH // _LETTER // 2)
        if not width:
            return
        small = framebuf.FrameBuffer(bytearray(width), width, _LETTER, framebuf.MONO_VLSB)
        small.text(line, 0, 0)
        for x in range(width):
            for y in range(_LETTER):
                if small.pixel(x, y):
                    self._frame.fill_rect(2 * x, top + 2 * y, 2, 2, 1)
