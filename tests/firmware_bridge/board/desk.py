"""Runs a board's main.py under MicroPython: stdin and stdout are the serial port, `machine` goes to the test.

Arguments: the board's root, a pipe to the test, a pipe from the test. Each request is kind, address, size (2), data;
each answer is status, size (2), data. MicroPython only.
"""

import sys

root, asked, answered = sys.argv[1:4]
out, back = open(asked, "wb"), open(answered, "rb")  # noqa: SIM115


def exactly(size):
    data = b""
    while len(data) < size:
        piece = back.read(size - len(data))
        if not piece:
            raise SystemExit(9)
        data += piece
    return data


def ask(kind, address, data=b""):
    out.write(kind + bytes([address, len(data) >> 8, len(data) & 0xFF]) + data)
    head = exactly(3)
    answer = exactly(head[1] << 8 | head[2])
    if head[0]:
        raise OSError(19)
    return answer


class Pin:
    OUT = 1
    levels = {}  # noqa: RUF012

    def __init__(self, number, mode=0, value=None):
        self.number = number
        if value is not None:
            self(value)

    def __call__(self, value):
        Pin.levels[self.number] = value


class SPI:
    def __init__(self, number, baudrate, polarity, phase, sck, mosi, miso):
        assert (sck.number, mosi.number, miso.number) == (18, 19, 16)

    def write_readinto(self, data, into):
        # A chip that is not selected, or held in its reset, hears nothing.
        if Pin.levels[17] == 0 and Pin.levels.get(20, 1) == 1:
            into[:] = ask(b"S", 0, bytes(data))


class I2C:
    def __init__(self, number, sda, scl, freq):
        assert (sda.number, scl.number) == (4, 5)

    def writeto(self, address, data):
        ask(b"W", address, bytes(data))

    def readfrom(self, address, size):
        return ask(b"R", address, bytes([size >> 8, size & 0xFF]))


class PWM:
    def __init__(self, pin, freq, duty_u16):
        self.number = pin.number

    def freq(self, hertz):
        ask(b"F", self.number, bytes([hertz >> 8, hertz & 0xFF]))

    def duty_u16(self, duty):
        ask(b"D", self.number, bytes([duty >> 8, duty & 0xFF]))


class WDT:
    def __init__(self, timeout):
        assert timeout < 8388

    def feed(self):
        pass


class machine:  # noqa: N801
    pass


def leave(code):
    raise SystemExit(code)


machine.Pin, machine.SPI, machine.I2C, machine.PWM, machine.WDT = Pin, SPI, I2C, PWM, WDT
machine.reset = lambda: leave(3)
machine.bootloader = lambda: leave(4)
sys.modules["machine"] = machine
sys.path.insert(0, root)

import main  # noqa: E402

main.start(root, 0.05)
