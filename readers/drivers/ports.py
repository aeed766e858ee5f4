"""From a reader's path to an open nfcpy frontend."""

from __future__ import annotations

import errno
import importlib
import os
from typing import Any

import nfc
import nfc.clf.transport

SERIAL_CHIPS = ("pn532", "arygon")


def open_frontend(path: str) -> Any:
    """An open `nfc.ContactlessFrontend`. Raises OSError and, from the depths of nfcpy, nearly anything else."""
    if not path:
        # nfcpy takes this for "open nothing, and succeed".
        raise OSError(errno.ENODEV, "no path given")
    port = serial_port(path)
    if port is None:
        return nfc.ContactlessFrontend(path)
    frontend = nfc.ContactlessFrontend()
    frontend.device = _open_serial(*port)
    return frontend


def serial_port(path: str) -> tuple[str, str] | None:
    """The device file and the chip of `tty:<port>:<chip>`; None when nfcpy finds the reader better by itself.

    nfcpy's path grammar has no slash in it, and it chooses the quirks of a port by the port's name: on a Raspberry Pi
    it must read /dev/ttyS0, not the link /dev/serial0 that leads there. So a port that is given by its file name, or
    that is a link, is resolved here.
    """
    kind, _, rest = path.partition(":")
    port, _, chip = rest.rpartition(":")
    if kind != "tty" or chip not in SERIAL_CHIPS:
        return None
    file = port if "/" in port else f"/dev/{port}"
    return (os.path.realpath(file), chip) if "/" in port or os.path.islink(file) else None


def _open_serial(file: str, chip: str) -> Any:
    transport = nfc.clf.transport.TTY(file)
    try:
        device = importlib.import_module(f"nfc.clf.{chip}").init(transport)
    except BaseException:
        transport.close()
        raise
    # nfcpy's own search sets this too; without it a device cannot say its name.
    device._path = file
    return device
