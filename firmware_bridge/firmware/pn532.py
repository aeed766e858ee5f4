"""The PN532 (NXP UM0701-02) on SPI or I2C: finds Type A cards, and passes frames on to the one that is selected."""

from firmware_bridge import messages
from firmware_bridge.firmware.iso14443 import without_crc
from firmware_bridge.firmware.parts import Bus, Chip, ChipFailed, Clock, TwoWire

_ACK = b"\x00\x00\xff\x00\xff\x00"
_I2C_ADDRESS = 0x24
# What a TRANSCEIVE may bring: 254 bytes, CRC, status, and what is around it.
_FRAME_MAX = 275
_ANSWER_MS = 100
_GET_VERSION, _SET_PARAMETERS, _SAM, _RF, _WRITE_REGISTER, _THRU, _LIST = 0x02, 0x12, 0x14, 0x32, 0x08, 0x42, 0x4A
_RF_FIELD, _RF_TIMINGS, _RF_RETRIES = 1, 2, 5
# CIU_RxMode: the chip's own check of the CRC would take a Type 2 tag's four bits for a damaged frame.
_RX_MODE_UNCHECKED = bytes([0x63, 0x03, 0x00])
_STATUS_TIMEOUT, _STATUS_OVERFLOW = 0x01, 0x07


class SpiLine:
    """The chip's SPI (6.2.5): lowest bit first, which not every microcontroller can, so bytes are turned round here."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._turned = bytes([int("".join(reversed(f"{byte:08b}")), 2) for byte in range(256)])

    def wake(self) -> None:
        self._bus.transfer(b"\x00\x00")

    def write(self, frame: bytes) -> None:
        self._transfer(b"\x01" + frame)

    def ready(self) -> bool:
        return self._transfer(b"\x02\x00")[1] & 1 == 1

    def read(self, size: int) -> bytes:
        return self._transfer(b"\x03" + bytes(size))[1:]

    def _transfer(self, data: bytes) -> bytes:
        turned = self._turned
        return bytes([turned[byte] for byte in self._bus.transfer(bytes([turned[byte] for byte in data]))])


class I2cLine:
    """The chip's I2C (6.2.4): each read begins with a byte that says whether it is ready."""

    def __init__(self, wires: TwoWire) -> None:
        self._wires = wires

    def wake(self) -> None:
        self.ready()

    def write(self, frame: bytes) -> None:
        try:
            self._wires.write(_I2C_ADDRESS, frame)
        except OSError as error:
            raise ChipFailed("no PN532 answers on I2C: look at its wires and its switches") from error

    def ready(self) -> bool:
        # The chip does not even take its address while it wakes up.
        try:
            return self._wires.read(_I2C_ADDRESS, 1)[0] & 1 == 1
        except OSError:
            return False

    def read(self, size: int) -> bytes:
        try:
            return self._wires.read(_I2C_ADDRESS, size + 1)[1:]
        except OSError as error:
            raise ChipFailed("the PN532 has stopped answering on I2C") from error


class Pn532(Chip):
    name = "pn532"
    frame_max = messages.CARD_FRAME_MAX

    def __init__(self, line: "SpiLine | I2cLine", clock: Clock) -> None:
        self._line = line
        self._clock = clock
        self._up = False
        self._selected = False
        self._timing = 0

    def start(self) -> None:
        self._selected = False
        self._line.wake()
        self._clock.sleep_ms(2)
        if self._ask(_GET_VERSION)[:1] != b"\x32":
            raise ChipFailed("this is no PN532")
        # The chip by itself, without a SAM, a time limit of 1 s and without its IRQ line.
        self._ask(_SAM, b"\x01\x14\x00")
        # No RATS by the chip: whether it is wanted, the till knows.
        self._ask(_SET_PARAMETERS, b"\x00")
        self._ask(_RF, bytes([_RF_RETRIES, 0, 0, 1]))
        self._timing = 0
        self._up = True

    def rest(self) -> None:
        self._selected = False
        if self._up:
            self._up = False
            try:
                self._ask(_RF, bytes([_RF_FIELD, 0]))
                self._up = True
            except ChipFailed:
                # The next look finds it out, and starts it anew.
                pass

    def look(self) -> list[tuple[bytes, int]]:
        if not self._up:
            raise ChipFailed("the PN532 has stopped answering")
        # Without field it forgets that it was selected; the next command brings the field up again.
        if self._selected:
            self.rest()
        told = self._ask(_LIST, b"\x02\x00")
        cards = _targets(told)
        self._selected = len(cards) == 1
        if self._selected:
            self._ask(_WRITE_REGISTER, _RX_MODE_UNCHECKED)
        return cards

    def transceive(self, frame: bytes, timeout_ms: int) -> tuple[int, bytes]:
        if not self._selected:
            return messages.NO_CARD, b""
        self._allow(timeout_ms)
        told = self._ask(_THRU, frame, timeout_ms)
        status = told[0] & 0x3F if told else _STATUS_TIMEOUT
        if status == _STATUS_TIMEOUT:
            return messages.SILENT, b""
        if status == _STATUS_OVERFLOW:
            return messages.TOO_LONG, b""
        if status:
            return messages.GARBLED, b""
        answer = told[1:]
        if len(answer) == 1:
            return messages.DONE, answer
        whole = without_crc(answer)
        return (messages.GARBLED, b"") if whole is None else (messages.DONE, whole)

    def _allow(self, timeout_ms: int) -> None:
        """The card's time to answer: 0.1 ms, doubled as often as needed (RFConfiguration, item 2)."""
        code, us = 1, 100
        while us < timeout_ms * 1000 and code < 16:
            code, us = code + 1, us * 2
        if code != self._timing:
            self._ask(_RF, bytes([_RF_TIMINGS, 0, 0x0B, code]))
            self._timing = code

    def _ask(self, command: int, data: bytes = b"", timeout_ms: int = 0) -> bytes:
        """The data of the chip's answer. Raises ChipFailed."""
        body = bytes([0xD4, command]) + data
        if len(body) > 255:
            head = bytes([0xFF, 0xFF, len(body) >> 8, len(body) & 0xFF, -(len(body) >> 8) - len(body) & 0xFF])
        else:
            head = bytes([len(body), -len(body) & 0xFF])
        self._line.write(b"\x00\x00\xff" + head + body + bytes([-sum(body) & 0xFF, 0]))
        self._wait(_ANSWER_MS)
        if self._line.read(len(_ACK)) != _ACK:
            raise ChipFailed("the PN532 does not acknowledge")
        self._wait(_ANSWER_MS + 2 * timeout_ms)
        told = _body(self._line.read(_FRAME_MAX if command == _THRU else 64))
        if told[:2] != bytes([0xD5, command + 1]):
            raise ChipFailed("the PN532 answers something else")
        return told[2:]

    def _wait(self, timeout_ms: int) -> None:
        deadline_ms = self._clock.now_ms() + timeout_ms
        while not self._line.ready():
            if self._clock.now_ms() > deadline_ms:
                raise ChipFailed("the PN532 does not answer")
            self._clock.sleep_ms(1)


def _targets(told: bytes) -> list[tuple[bytes, int]]:
    """UID and SAK of the cards that InListPassiveTarget found (7.3.5)."""
    cards: list[tuple[bytes, int]] = []
    at = 1
    for _ in range(told[0] if told else 0):
        if len(told) < at + 5 or len(told) < at + 5 + told[at + 4]:
            raise ChipFailed("the PN532 tells half of a card")
        cards.append((told[at + 5 : at + 5 + told[at + 4]], told[at + 3]))
        at += 5 + told[at + 4]
    return cards


def _body(frame: bytes) -> bytes:
    """What a frame of the chip says, both checksums right (6.2.1). Raises ChipFailed."""
    start = frame.find(b"\x00\xff")
    rest = frame[start + 2 :] if start >= 0 else b""
    size, head = 0, 2
    if rest[:2] == b"\xff\xff" and len(rest) >= 5 and not rest[2] + rest[3] + rest[4] & 0xFF:
        size, head = rest[2] << 8 | rest[3], 5
    elif len(rest) >= 2 and not rest[0] + rest[1] & 0xFF:
        size = rest[0]
    body = rest[head : head + size]
    if not size or len(rest) <= head + size or (sum(body) + rest[head + size]) & 0xFF:
        raise ChipFailed("the PN532's answer is damaged")
    return body
