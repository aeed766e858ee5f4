"""Drivers: how a card reader is spoken to. `open_driver` is the one door."""

from __future__ import annotations

from collections.abc import Mapping

from app.rules.chips.keyring import CardKey
from readers.taps import Driver, Presence

__all__ = ["open_driver"]


def open_driver(path: str, presence: Presence | None = None, keys: Mapping[bytes, CardKey] | None = None) -> Driver:
    """Open the reader at `path`, or raise ReaderFault with a plain reason.

    Paths are nfcpy's: `usb`, `usb:054c:06c3`, `tty:S0:pn532`, `tty:USB0:pn532`, `udp:127.0.0.1:54321`; a serial port
    may also be given by its whole file name (`tty:/dev/serial/by-id/...:pn532`), which survives replugging. A board of
    the firmware bridge is `bridge:/dev/ttyACM0`, or again its name under /dev/serial/by-id. `pcsc` is the first reader
    of the system's smart card service, `pcsc:ACR122` the first with this in its name.
    `presence` is what is known of the field from before, when a reader is opened again. `keys` are those of the cards
    that prove themselves before they are seen, by UID; it is asked at each tap, so that it may change meanwhile.
    """
    known = Presence() if presence is None else presence
    if path.startswith("bridge:"):
        from readers.drivers.bridge import open_bridge  # noqa: PLC0415

        return open_bridge(path, known, {} if keys is None else keys)
    if path == "pcsc" or path.startswith("pcsc:"):
        from readers.drivers.pcsc import open_pcsc  # noqa: PLC0415

        return open_pcsc(path, known, {} if keys is None else keys)
    # nfcpy brings USB and serial libraries with it: only a terminal that reads cards pays for them.
    from readers.drivers.nfcpy import open_nfcpy  # noqa: PLC0415

    return open_nfcpy(path, known, {} if keys is None else keys)
