"""Frames on the line: `00 COBS(body CRC-32) 00`. See PROTOCOL.md, "Frames". Runs on MicroPython too.

COBS (consistent overhead byte stuffing) takes the zeros out of a body, so that a zero is the end of a frame and nothing
else: whatever was damaged, the next frame is read again from its first byte.
"""

import binascii

# The longest body: 5 bytes of header and 260 of payload.
BODY_MAX = 265
_CRC_SIZE = 4
_BLOCK = 254
# With the CRC, and what COBS adds: one byte for each 254 begun.
_FRAME_MAX = BODY_MAX + _CRC_SIZE + 2


class BadFrame(Exception):
    """These bytes are no frame: damaged on the line, or no frame at all."""


def framed(body: bytes) -> bytes:
    """One frame, its delimiters included. Raises ValueError for a body that is longer than BODY_MAX."""
    if len(body) > BODY_MAX:
        raise ValueError("the body is too long for a frame")
    return b"\x00" + stuffed(body + binascii.crc32(body).to_bytes(_CRC_SIZE, "big")) + b"\x00"


def unframed(frame: bytes) -> bytes:
    """The body of a frame without its delimiters. Raises BadFrame, and nothing else whatever it is given."""
    data = unstuffed(frame)
    body, crc = data[:-_CRC_SIZE], data[-_CRC_SIZE:]
    if not body or len(body) > BODY_MAX or binascii.crc32(body).to_bytes(_CRC_SIZE, "big") != crc:
        raise BadFrame
    return body


def stuffed(data: bytes) -> bytes:
    """`data` by COBS: no byte of it is zero."""
    out = bytearray()
    for part in data.split(b"\x00"):
        at = 0
        while len(part) - at >= _BLOCK:
            out.append(_BLOCK + 1)
            out.extend(part[at : at + _BLOCK])
            at += _BLOCK
        out.append(len(part) - at + 1)
        out.extend(part[at:])
    return bytes(out)


def unstuffed(data: bytes) -> bytes:
    """What was stuffed. Raises BadFrame."""
    out = bytearray()
    at, size = 0, len(data)
    if 0 in data:
        raise BadFrame
    while at < size:
        end = at + data[at]
        if end > size:
            raise BadFrame
        out.extend(data[at + 1 : end])
        if data[at] <= _BLOCK and end < size:
            out.append(0)
        at = end
    return bytes(out)


class Deframer:
    """Takes bytes as they come, in pieces of any size, and gives the bodies of the frames that are whole.

    `damaged` counts what was thrown away. Never holds more than one frame, whatever comes.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self._held = b""
        self._overlong = False

    def feed(self, data: bytes) -> list[bytes]:
        """The bodies that these bytes complete, in order."""
        bodies: list[bytes] = []
        *ended, rest = bytes(data).split(b"\x00")
        for part in ended:
            self._hold(part)
            frame, overlong = self._held, self._overlong
            self._held, self._overlong = b"", False
            if overlong:
                self.damaged += 1
            elif frame:
                try:
                    bodies.append(unframed(frame))
                except BadFrame:
                    self.damaged += 1
        self._hold(rest)
        return bodies

    def _hold(self, part: bytes) -> None:
        if self._overlong or len(self._held) + len(part) > _FRAME_MAX:
            self._held, self._overlong = b"", True
        else:
            self._held += part
