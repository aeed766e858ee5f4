"""One card at the desk's reader: recognised, written, read back, told to the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from readers.cardauth import CardTrouble, native
from readers.cardauth.encoding import write_ntag424
from readers.cardauth.isodep import IsoDep
from readers.desk.server import DeskServer
from readers.taps import CardSilent, Driver

# GetVersion of an NTAG 424 DNA: type and major version of the hardware (NT4H2421Gx data sheet, 10.5.2).
_NTAG_424 = (0x04, 0x30)


class NotWritten(Exception):
    """Why this card was not written, in English."""


@dataclass(frozen=True, slots=True)
class Written:
    label: str
    version: int


_AWAY: Final = "the card was taken away too soon: lay it down again"
_OTHER: Final = "this chip holds no keys that we can write: an NTAG 424 DNA is needed"


def write_card(driver: Driver, uid: bytes, server: DeskServer, key_set: str, label: str | None) -> Written:
    """Write the card that the driver sees. NotWritten, Declined, Unreachable, ReaderFault."""
    try:
        transceive = IsoDep(driver.exchange).transceive
        version = native.get_version(transceive)
    except CardSilent as error:
        raise NotWritten(_AWAY) from error
    except CardTrouble as error:
        raise NotWritten(_OTHER) from error
    if (version.kind, version.major) != _NTAG_424:
        raise NotWritten(_OTHER)
    name = uid.hex().upper()
    keys = server.keys(name, key_set, label)
    before, after = ([bytes.fromhex(it) for it in keys[which]] for which in ("before", "after"))
    try:
        write_ntag424(transceive, before, after, keys["version"], keys["address"])
    except CardSilent as error:
        raise NotWritten(_AWAY) from error
    except CardTrouble as error:
        raise NotWritten(f"the card does not take the keys: {error}") from error
    server.written(name, keys["version"])
    return Written(keys["label"], keys["version"])
