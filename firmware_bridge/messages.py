"""What is said over the link, byte by byte: PROTOCOL.md, "Messages". Runs on MicroPython too.

Each message has a function that writes its payload and, where somebody reads it, one that reads it again and raises
BadMessage for bytes that are none. Numbers are unsigned, the highest byte first.
"""

import struct

# The versions of this protocol that this code speaks.
VERSION_MIN, VERSION_MAX = 1, 1

# Between the two ends of the link, without a number of their own: never queued, never sent again.
ACK, NAK, HELLO, WELCOME, READY, PING, PONG, BYE = 0, 1, 2, 3, 4, 5, 6, 7

# From the board, each exactly once and in order.
CARD_SEEN, CARD_GONE, TWO_CARDS, TRANSCEIVED, ERROR = 0x10, 0x11, 0x12, 0x21, 0x50

# To the board, each exactly once and in order.
TRANSCEIVE, FIELD, LED, BUZZER, DISPLAY, RESET = 0x20, 0x30, 0x40, 0x41, 0x42, 0x51

# What a board can do, one bit each, in WELCOME.
CAN_TRANSCEIVE, CAN_LED, CAN_BUZZER, CAN_DISPLAY = 1, 2, 4, 8

# How a TRANSCEIVE went.
DONE, SILENT, NO_CARD, GARBLED, TOO_LONG, CHIP_FAILED = 0, 1, 2, 3, 4, 5

# FIELD
FIELD_OFF, FIELD_LOOK, FIELD_ANEW = 0, 1, 2

# RESET: start again; start the chip's loader, which takes a new MicroPython; stop, and leave the port to MicroPython.
RESTART, LOADER, STOP = 0, 1, 2

# ERROR
CHIP_SILENT, BAD_REQUEST, INTERNAL = 1, 2, 3

UID_SIZES = (4, 7, 10)
# The longest frame that a card takes or gives, without its CRC.
CARD_FRAME_MAX = 254
TEXT_MAX = 200
TONES_MAX = 16
_AGE_MAX = 0xFFFF


class BadMessage(Exception):
    """These bytes are not what a message of this kind says."""


def hello(nonce: bytes) -> bytes:
    """`nonce`: four bytes that no other session of this till has."""
    return nonce + bytes([VERSION_MIN, VERSION_MAX])


def read_hello(data: bytes) -> tuple[bytes, int, int]:
    """Nonce, the oldest and the newest version that the till speaks. What a newer one adds behind is passed over."""
    if len(data) < 6:
        raise BadMessage("hello")
    return data[:4], data[4], data[5]


def version(oldest: int, newest: int) -> int:
    """The newest version that both speak; 0: there is none."""
    best = min(newest, VERSION_MAX)
    return best if best >= max(oldest, VERSION_MIN) else 0


def welcome(nonce: bytes, spoken: int, boot: bytes, can: int, frame_max: int, about: str) -> bytes:
    """`spoken` 0: no version in common. `boot`: four bytes, others at each start. `about`: firmware, board, chip."""
    return nonce + bytes([spoken]) + boot + struct.pack(">HH", can, frame_max) + _text(about)


def read_welcome(data: bytes) -> tuple[bytes, int, bytes, int, int, str]:
    """Nonce, version, boot, what the board can do, the longest frame of a card that it takes, and what it is."""
    if len(data) < 13:
        raise BadMessage("welcome")
    can, frame_max = struct.unpack(">HH", data[9:13])
    return data[:4], data[4], data[5:9], can, frame_max, read_text(data[13:])


def card(uid: bytes, sak: int, age_ms: int) -> bytes:
    """CARD_SEEN and CARD_GONE. `age_ms`: how long ago, when it was put in the queue. Gone may have no UID."""
    return struct.pack(">HB", min(age_ms, _AGE_MAX), sak) + uid


def read_card(data: bytes) -> tuple[bytes, int, int]:
    """UID, SAK, age in milliseconds."""
    if len(data) < 3 or not (len(data) == 3 or len(data) - 3 in UID_SIZES):
        raise BadMessage("card")
    age_ms, sak = struct.unpack(">HB", data[:3])
    return data[3:], sak, age_ms


def two_cards(one: bytes, other: bytes, age_ms: int) -> bytes:
    return struct.pack(">HB", min(age_ms, _AGE_MAX), len(one)) + one + other


def read_two_cards(data: bytes) -> tuple[bytes, bytes, int]:
    """Both UIDs, age in milliseconds."""
    if len(data) < 3 or data[2] not in UID_SIZES or len(data) - 3 - data[2] not in UID_SIZES:
        raise BadMessage("two cards")
    return data[3 : 3 + data[2]], data[3 + data[2] :], data[0] << 8 | data[1]


def transceive(number: int, timeout_ms: int, frame: bytes) -> bytes:
    """One frame to the card, without its CRC. `number` comes back with the answer."""
    return struct.pack(">BH", number, timeout_ms) + frame


def read_transceive(data: bytes) -> tuple[int, int, bytes]:
    """Number, how long the card may take in milliseconds, frame."""
    if not 4 <= len(data) <= 3 + CARD_FRAME_MAX:
        raise BadMessage("transceive")
    number, timeout_ms = struct.unpack(">BH", data[:3])
    return number, timeout_ms, data[3:]


def transceived(number: int, status: int, frame: bytes) -> bytes:
    """What the card said, without its CRC; four bits (ACK, NAK of a Type 2 tag) are one byte."""
    return bytes([number, status]) + frame


def read_transceived(data: bytes) -> tuple[int, int, bytes]:
    """Number, status, frame."""
    if not 2 <= len(data) <= 2 + CARD_FRAME_MAX or data[1] > CHIP_FAILED:
        raise BadMessage("transceived")
    return data[0], data[1], data[2:]


def led(red: int, green: int, blue: int, on_ms: int = 0, off_ms: int = 0, times: int = 0) -> bytes:
    """A colour: for `on_ms`, dark for `off_ms`, so many `times`, then dark. `times` 0: it stays."""
    return struct.pack(">BBBHHB", red, green, blue, on_ms, off_ms, times)


def read_led(data: bytes) -> tuple[int, int, int, int, int, int]:
    if len(data) != 8:
        raise BadMessage("led")
    red, green, blue, on_ms, off_ms, times = struct.unpack(">BBBHHB", data)
    return red, green, blue, on_ms, off_ms, times


def buzzer(tones: list[tuple[int, int]]) -> bytes:
    """Tones one after another: hertz (0: silence) and milliseconds."""
    return b"".join([struct.pack(">HH", hertz, ms) for hertz, ms in tones])


def read_buzzer(data: bytes) -> list[tuple[int, int]]:
    if len(data) % 4 or len(data) > 4 * TONES_MAX:
        raise BadMessage("buzzer")
    return [struct.unpack(">HH", data[at : at + 4]) for at in range(0, len(data), 4)]


def display(text: str, big: int = 0) -> bytes:
    """Lines of text; bit n of `big`: the n-th line is written in double size."""
    return bytes([big]) + _text(text)


def read_display(data: bytes) -> tuple[list[str], int]:
    """Lines, and which of them are big."""
    if not data:
        raise BadMessage("display")
    return read_text(data[1:]).split("\n"), data[0]


def error(code: int, text: str) -> bytes:
    return bytes([code]) + _text(text)


def read_error(data: bytes) -> tuple[int, str]:
    if not data:
        raise BadMessage("error")
    return data[0], read_text(data[1:])


def one(data: bytes) -> int:
    """The one number of FIELD and RESET."""
    if len(data) != 1:
        raise BadMessage("one number")
    return data[0]


def read_text(data: bytes) -> str:
    if len(data) > TEXT_MAX:
        raise BadMessage("text")
    try:
        return data.decode()
    except UnicodeError:
        raise BadMessage("text") from None


def _text(text: str) -> bytes:
    """As UTF-8, cut where it is too long, and never within a character."""
    data = text.encode()[:TEXT_MAX]
    while data and len(data) == TEXT_MAX:
        try:
            data.decode()
            break
        except UnicodeError:
            data = data[:-1]
    return data
