"""The MFRC522 (NXP data sheet rev. 3.9) on SPI: finds Type A cards, and passes frames on to the one that is selected.

`bus.transfer(out)` clocks bytes out and the same number in, with the chip selected for that time.
"""

from firmware_bridge import messages
from firmware_bridge.firmware.iso14443 import is_rats, lowered_ats, lowered_rats, without_crc
from firmware_bridge.firmware.parts import Bus, Chip, ChipFailed, Clock

# Registers (9.2 of the data sheet).
_COMMAND, _COM_IRQ, _ERROR, _FIFO, _FIFO_LEVEL, _CONTROL = 0x01, 0x04, 0x06, 0x09, 0x0A, 0x0C
_BIT_FRAMING, _COLL, _MODE, _TX_MODE, _RX_MODE, _TX_CONTROL = 0x0D, 0x0E, 0x11, 0x12, 0x13, 0x14
_TX_ASK, _GAIN, _TIMER_MODE, _PRESCALER, _RELOAD_HIGH, _RELOAD_LOW, _VERSION = 0x15, 0x26, 0x2A, 0x2B, 0x2C, 0x2D, 0x37

_IDLE, _TRANSCEIVE, _SOFT_RESET = 0x00, 0x0C, 0x0F
_RECEIVED_OR_IDLE, _TIMED_OUT = 0x30, 0x01
_COLLISION, _DAMAGED, _OVERFLOW = 0x08, 0x07, 0x10
_CRC_BY_CHIP = 0x80
# 1.0 and 2.0 of NXP, and the chips that are sold under the same name.
_VERSIONS = (0x88, 0x90, 0x91, 0x92, 0x12, 0xB2)
_TICKS_A_MS = 40
_FIFO_SIZE = 64
# ISO/IEC 14443-4, table 1: frames of 64 bytes, which is what the chip can hold.
_FRAME_CODE = 5
# ISO/IEC 14443-3: a card needs 5 ms of field to be ready, and is without memory after 5 ms of none.
_FIELD_MS = 5
_WUPA, _REQA, _LEVELS, _CASCADE_TAG, _MORE = 0x52, 0x26, (0x93, 0x95, 0x97), 0x88, 0x04


class _Muddle(Exception):
    """What came in anticollision is no UID: damaged, or of too many cards."""


class Rc522(Chip):
    name = "rc522"
    frame_max = _FIFO_SIZE - 2

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._field = False
        self._selected = False

    def start(self) -> None:
        self._write(_COMMAND, _SOFT_RESET)
        self._clock.sleep_ms(2)
        self._field = self._selected = False
        if self._read(_VERSION) not in _VERSIONS:
            raise ChipFailed("no RC522 answers: look at its wires and its 3.3 V")
        for register, value in (
            (_TIMER_MODE, 0x80),  # the timer starts when a frame has been sent
            (_PRESCALER, 169),  # and counts in 25 us
            (_TX_ASK, 0x40),  # 100 % modulation, as Type A wants
            (_MODE, 0x3D),  # the CRC starts at 6363
            (_GAIN, 0x70),  # 48 dB: cards are read through a table's wood
            (_RX_MODE, 0),
        ):
            self._write(register, value)

    def rest(self) -> None:
        self._selected = False
        if self._field:
            self._field = False
            self._write(_TX_CONTROL, 0x80)

    def look(self) -> list[tuple[bytes, int]]:
        if self._read(_VERSION) not in _VERSIONS:
            raise ChipFailed("the RC522 has stopped answering")
        if self._selected:
            # It would not answer to a call as long as it remembers that it is selected.
            self.rest()
            self._clock.sleep_ms(_FIELD_MS)
        if not self._field:
            self._field = True
            self._write(_TX_CONTROL, 0x83)
            self._clock.sleep_ms(_FIELD_MS)
        try:
            return self._find()
        except _Muddle:
            return []

    def _find(self) -> list[tuple[bytes, int]]:
        if not self._call(_WUPA):
            return []
        uid, sak, joined = self._select()
        self._selected = True
        if not joined:
            return [(uid, sak)]
        # Two at least: the one that was chosen is sent to sleep, and the other one answers alone.
        self._talk(b"\x50\x00", 1, crc=True)
        if not self._call(_REQA):
            return [(uid, sak)]
        other, other_sak, _ = self._select()
        return [(uid, sak), (other, other_sak)]

    def transceive(self, frame: bytes, timeout_ms: int) -> tuple[int, bytes]:
        if not self._selected:
            return messages.NO_CARD, b""
        rats = is_rats(frame)
        heard = self._talk(lowered_rats(frame, _FRAME_CODE) if rats else frame, timeout_ms, crc=True)
        if heard is None:
            return messages.SILENT, b""
        answer, bits, error = heard
        if error & _OVERFLOW:
            return messages.TOO_LONG, b""
        if error & (_DAMAGED | _COLLISION):
            return messages.GARBLED, b""
        if len(answer) == 1 and bits == 4:
            return messages.DONE, bytes([answer[0] & 0x0F])
        whole = None if bits else without_crc(answer)
        if whole is None:
            return messages.GARBLED, b""
        return messages.DONE, lowered_ats(whole, _FRAME_CODE) if rats else whole

    def _call(self, call: int) -> bool:
        """REQA or WUPA: whether anybody answers. Where several do, their answers may collide."""
        return self._talk(bytes([call]), 1, bits=7) is not None

    def _select(self) -> tuple[bytes, int, bool]:
        """Anticollision and selection (ISO/IEC 14443-3, 6.5.3): UID, SAK, whether others answered as well."""
        uid, joined = b"", False
        for level in _LEVELS:
            part, collided = self._part(level)
            joined = joined or collided
            heard = self._talk(bytes([level, 0x70]) + part, 1, crc=True)
            sak = without_crc(heard[0]) if heard else None
            if sak is None or len(sak) != 1:
                raise _Muddle
            more = sak[0] & _MORE
            uid += part[1:4] if part[0] == _CASCADE_TAG and more else part[:4]
            if not more:
                return uid, sak[0], joined
        raise _Muddle

    def _part(self, level: int) -> tuple[bytes, bool]:
        """Four bytes of a UID and their check byte; whether cards collided in it. Of two cards, the one with a one."""
        heard = self._talk(bytes([level, 0x20]), 1)
        if heard is None:
            raise _Muddle
        part, _, error = heard
        collided = error & _COLLISION != 0
        if collided:
            part = self._chosen(level, part)
        if error & _DAMAGED or len(part) != 5 or part[0] ^ part[1] ^ part[2] ^ part[3] ^ part[4]:
            raise _Muddle
        return part, collided

    def _chosen(self, level: int, heard: bytes) -> bytes:
        """The whole part of the card that has a one where the first bits collided."""
        where = self._read(_COLL)
        if where & 0x20:
            raise _Muddle
        # Bits that are known now, with the one: 32 is written as 0.
        known = where & 0x1F or 32
        whole, rest = known // 8, known % 8
        at = (known - 1) // 8
        if len(heard) <= at:
            raise _Muddle
        start = bytearray(heard[: at + 1])
        start[at] = start[at] & (1 << (known - 1) % 8) - 1 | 1 << (known - 1) % 8
        again = self._talk(bytes([level, 0x20 + (whole << 4) + rest]) + bytes(start), 1, bits=rest, align=rest)
        if again is None or again[2] & _COLLISION:
            raise _Muddle
        part = bytearray(again[0])
        if rest:
            if not part:
                raise _Muddle
            # The first byte was begun by us and ended by the card.
            part[0] = part[0] & ~((1 << rest) - 1) & 0xFF | start[at]
            return bytes(start[:at] + part)
        return bytes(start + part)

    def _talk(
        self, frame: bytes, timeout_ms: int, *, crc: bool = False, bits: int = 0, align: int = 0
    ) -> tuple[bytes, int, int] | None:
        """One frame out and one in: what came, bits of its last byte (0: all), errors. None: silence.

        `crc`: the chip adds one to what is sent; what comes is given with its own. `bits`: of the last byte sent.
        `align`: the bit of the first byte in which what comes begins.
        """
        ticks = min(timeout_ms * _TICKS_A_MS, 0xFFFF)
        self._write(_COMMAND, _IDLE)
        self._write(_COM_IRQ, 0x7F)
        self._write(_FIFO_LEVEL, 0x80)
        self._write(_TX_MODE, _CRC_BY_CHIP if crc else 0)
        self._write(_COLL, 0)
        self._write(_RELOAD_HIGH, ticks >> 8)
        self._write(_RELOAD_LOW, ticks & 0xFF)
        self._bus.transfer(bytes([_FIFO << 1]) + frame)
        self._write(_COMMAND, _TRANSCEIVE)
        self._write(_BIT_FRAMING, 0x80 | align << 4 | bits)
        deadline_ms = self._clock.now_ms() + timeout_ms + 100
        while True:
            irq = self._read(_COM_IRQ)
            if irq & _RECEIVED_OR_IDLE:
                break
            if irq & _TIMED_OUT:
                return None
            if self._clock.now_ms() > deadline_ms:
                raise ChipFailed("the RC522 does not come to an end")
        error = self._read(_ERROR)
        size = min(self._read(_FIFO_LEVEL) & 0x7F, _FIFO_SIZE)
        return self._read_fifo(size), self._read(_CONTROL) & 7, error

    def _read_fifo(self, size: int) -> bytes:
        if not size:
            return b""
        return self._bus.transfer(bytes([0x80 | _FIFO << 1] * size) + b"\x00")[1:]

    def _read(self, register: int) -> int:
        return self._bus.transfer(bytes([0x80 | register << 1, 0]))[1]

    def _write(self, register: int, value: int) -> None:
        self._bus.transfer(bytes([register << 1, value]))
