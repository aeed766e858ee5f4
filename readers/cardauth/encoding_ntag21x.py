"""Writing the holder's address on an NTAG213, NTAG215 or NTAG216, and locking it: the chip has no key to hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from readers.cardauth import type2
from readers.cardauth.errors import Exchange, Malformed
from readers.cardauth.ntag21x import Model

_CONFIGURATION_LOCKED = 0x40


@dataclass(frozen=True, slots=True)
class _Layout:
    """`last`: the last page of the user's, behind which the dynamic locks stand, then two pages of configuration.
    `locks`: all of the dynamic locks, with those that close them (data sheet rev. 3.2, 8.5.3)."""

    last: int
    locks: bytes


_LAYOUTS: Final[dict[Model, _Layout]] = {
    "NTAG213": _Layout(0x27, bytes.fromhex("ff0f3f")),
    "NTAG215": _Layout(0x81, bytes.fromhex("ff000f")),
    "NTAG216": _Layout(0xE1, bytes.fromhex("ff3f7f")),
}


def write_ntag21x(exchange: Exchange, model: Model, address: str | None, *, lock: bool) -> None:
    """Make the chip lead to this address (None: it stays as it is), and with `lock` let nobody change it again.

    The configuration is locked too, for whoever could still change it could hide the address behind a password. Raises
    Refused, Malformed, CardSilent, ReaderFault; ValueError: the address does not fit.
    """
    its = _LAYOUTS[model]
    if address is not None:
        type2.write_address(exchange, type2.laid_out(address), its.last)
    if not lock:
        return
    access = its.last + 3
    now = type2.read(exchange, access)[: type2.PAGE]
    if not now[0] & _CONFIGURATION_LOCKED:
        type2.write(exchange, access, bytes([now[0] | _CONFIGURATION_LOCKED]) + now[1:])
        if not type2.read(exchange, access)[0] & _CONFIGURATION_LOCKED:
            raise Malformed("the chip's configuration is not locked")
    type2.lock(exchange, its.last + 1, its.locks, whole=True)
