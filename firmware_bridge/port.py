"""A serial port, as bytes that come and go at once. Raises OSError for whatever is wrong with it."""

from __future__ import annotations

import contextlib
import errno
import os
import select

import serial

BAUD = 115200
_PIECE = 4096


class Port:
    """One open port, for this process alone."""

    def __init__(self, file: str) -> None:
        """Raises OSError: no such port, no permission, in use by another program."""
        try:
            self._serial = serial.Serial(file, BAUD, timeout=0, exclusive=True)
        except serial.SerialException as error:
            # A port that another program has locked "would block".
            code = errno.EBUSY if error.errno == errno.EWOULDBLOCK else error.errno or errno.EIO
            raise OSError(code, str(error)) from error
        self._file = file

    def read(self, timeout_s: float) -> bytes:
        """What is there; waits for it for `timeout_s` at most."""
        descriptor = self._serial.fileno()
        if not select.select([descriptor], [], [], timeout_s)[0]:
            return b""
        try:
            data = os.read(descriptor, _PIECE)
        except BlockingIOError:
            return b""
        if not data:
            # A port that is ready to be read and has nothing is one that was pulled out.
            raise OSError(errno.ENODEV, f"{self._file} is gone")
        return data

    def write(self, data: bytes) -> None:
        """All of it, or what the port takes: a port that takes nothing loses what is sent again anyway."""
        if data:
            with contextlib.suppress(BlockingIOError):
                os.write(self._serial.fileno(), data)

    def close(self) -> None:
        """May be called twice, and never raises."""
        with contextlib.suppress(Exception):
            self._serial.close()
