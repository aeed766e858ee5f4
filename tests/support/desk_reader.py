"""A desk reader of the system's smart card service: the real pcscd with Debian's virtual reader, and what lies on it.

The virtual reader (vsmartcard 3.3, "vpcd") listens on a port of its own; who connects is the card. Each message has its
length before it in two bytes; one of a single byte is the reader's hand on the card: 0 off, 1 on, 2 reset, 4 what its
first answer is.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from readers.drivers.pcsc_service import Service
from readers.emulator.cards import NAK, Card
from readers.emulator.isodep import IsoDepCard
from tests.support.serving import free_port

NAME = "ACS ACR122U"
DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
_SOCKET = Path("/run/pcscd/pcscd.comm")
_ISO_DEP = bytes.fromhex("3b8180018080")
_STORAGE = bytes.fromhex("3b8f8001804f0ca000000306030003000000000068")
_GET_UID = bytes.fromhex("ffca000000")
_TO_PN532, _THRU = bytes.fromhex("ff000000"), bytes.fromhex("d442")
_OK, _UNKNOWN = b"\x90\x00", b"\x6d\x00"

Fault = Callable[[bytes, bytes], bytes]
"""(command, answer) -> the answer that the reader passes on."""


def missing() -> str | None:
    """What keeps these tests from running, in words."""
    if shutil.which("pcscd") is None or not DRIVER.exists():
        return "Debian's pcscd and vsmartcard-vpcd are not installed"
    if os.getuid() != 0:
        return "pcscd is started by root only"
    return None


class DeskReader:
    """`lay` and `take` are what a hand does; `fault` may damage what the card says."""

    def __init__(self, folder: Path) -> None:
        self._port = free_port()
        self._folder = folder
        self._service: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self.fault: Fault | None = None
        self._deaf = False
        self.start_service()

    def start_service(self) -> None:
        config = self._folder / "reader.conf"
        port = f"{self._port:#X}"
        config.write_text(f'FRIENDLYNAME "{NAME}"\nDEVICENAME /dev/null:{port}\nLIBPATH {DRIVER}\nCHANNELID {port}\n')
        _SOCKET.parent.mkdir(parents=True, exist_ok=True)
        self._service = subprocess.Popen(
            ["pcscd", "--foreground", "--config", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until = time.monotonic() + 10
        while not self._is_up():
            assert time.monotonic() < until, "pcscd did not come up"
            time.sleep(0.02)

    def stop_service(self) -> None:
        self.take()
        if self._service is not None:
            self._service.kill()
            self._service.wait()
            self._service = None
        _SOCKET.unlink(missing_ok=True)

    def lay(self, card: Card) -> None:
        assert self._line is None
        self._line = socket.create_connection(("127.0.0.1", self._port))
        self._thread = threading.Thread(target=self._play, args=(self._line, card), daemon=True)
        self._thread.start()

    def take(self) -> None:
        line, self._line = self._line, None
        if line is not None and self._thread is not None:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            self._thread.join()
            line.close()
            self._wait_until_noticed()

    def _wait_until_noticed(self) -> None:
        """The service looks every 0.4 s; no hand is so quick, and what it makes of one is not what is tested here."""
        service = Service()
        until = time.monotonic() + 10
        while (found := service.look(f"{NAME} 00 00", 0, 0.1)) is not None and found[1].present:
            assert time.monotonic() < until, "the card that was taken away is still there"
            time.sleep(0.02)
        service.close()

    def is_over(self) -> bool:
        """The card that was laid down has gone by itself."""
        return self._thread is None or not self._thread.is_alive()

    def _is_up(self) -> bool:
        # The virtual reader listens once the service has opened it; to connect and see would be to lay a card on it.
        listening = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
        return _SOCKET.exists() and f":{self._port:04X} " in listening

    def _play(self, line: socket.socket, card: Card) -> None:
        atr = _ISO_DEP if isinstance(card, IsoDepCard) else _STORAGE
        with contextlib.suppress(OSError):
            while message := _message(line):
                if len(message) > 1:
                    answer = self._answer(card, message)
                    if self.fault is not None:
                        answer = self.fault(message, answer)
                elif message == b"\x04":
                    answer = atr
                else:
                    self._deaf = False
                    card.power_on()
                    continue
                line.sendall(len(answer).to_bytes(2) + answer)
        with contextlib.suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)

    def _answer(self, card: Card, command: bytes) -> bytes:
        if command == _GET_UID:
            return card.uid + _OK
        if command[:4] == _TO_PN532:
            if command[5:7] != _THRU:
                return _UNKNOWN
            # What a chip declines sends it away until it is woken (NTAG213/215/216 data sheet, 8.4).
            got = None if self._deaf else card.process(command[7:])
            self._deaf = got in (None, NAK)
            return b"\xd5\x43" + (b"\x01" if got is None else b"\x00" + got) + _OK
        return card.apdu(command) if isinstance(card, IsoDepCard) else _UNKNOWN


@contextlib.contextmanager
def desk_reader(folder: Path) -> Iterator[DeskReader]:
    """One at a time on a machine, for the service has one address."""
    with (Path(tempfile.gettempdir()) / "comptoir-pcscd.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        reader = DeskReader(folder)
        try:
            yield reader
        finally:
            reader.stop_service()


def _message(line: socket.socket) -> bytes:
    """The next one, empty at the end."""
    length = _exactly(line, 2)
    return _exactly(line, int.from_bytes(length)) if length else b""


def _exactly(line: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count:
        part = line.recv(count - len(got))
        if not part:
            return b""
        got += part
    return got
