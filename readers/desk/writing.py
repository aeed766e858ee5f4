"""One card at the desk's reader: recognised, written, read back, told to the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from app.rules.chips.keyring import APPLICATION
from readers.cardauth import CardTrouble
from readers.cardauth.encoding import write_ntag424
from readers.cardauth.encoding_desfire import write_desfire
from readers.cardauth.encoding_ntag21x import write_ntag21x
from readers.cardauth.encoding_ultralight import AgainFirst, write_ultralight
from readers.desk.chips import Chip, Recognising, UnknownChip
from readers.desk.server import Declined, DeskServer
from readers.taps import CardSilent, Driver


class NotWritten(Exception):
    """Why this card was not written, in English."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """`key_set`: whose keys are written on chips that hold any. `lock`: nobody changes the address again."""

    key_set: str | None
    lock: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """`version`: of the keys; None: the chip holds none."""

    label: str
    chip: Chip
    version: int | None
    locked: bool


_CONFLICT: Final = 409
_UNKNOWN: Final = "card-unknown"
_AWAY: Final = "the card was taken away too soon: lay it down again"
_KEYS: Final = "this chip holds keys: say with --keys of which set"
_NOWHERE: Final = "this server has no https address, and this chip holds nothing else"
_NOTHING: Final = "this server has no https address: there is nothing to lock"


class Desk:
    """A reader and a server, for one card after the other."""

    def __init__(self, driver: Driver, server: DeskServer, wishes: Wishes) -> None:
        self._driver = driver
        self._server = server
        self._wishes = wishes
        self._recognising = Recognising(driver)

    def write(self, uid: bytes, label: str | None) -> Written:
        """Write the card that the driver sees. NotWritten, Declined, Unreachable, ReaderFault."""
        try:
            chip = self._recognising.chip(uid)
            return (self._with_address if chip.kind == "ntag21x" else self._with_keys)(chip, uid.hex().upper(), label)
        except CardSilent as error:
            raise NotWritten(_AWAY) from error
        except (UnknownChip, AgainFirst) as error:
            raise NotWritten(str(error)) from error
        except Declined as error:
            # What is wrong with one card is no reason to send the others home.
            if error.status != _CONFLICT and error.code != _UNKNOWN:
                raise
            raise NotWritten(str(error)) from error
        except (CardTrouble, ValueError) as error:
            raise NotWritten(f"the card does not take what is written: {error}") from error

    def _with_address(self, chip: Chip, name: str, label: str | None) -> Written:
        if chip.model is None:
            raise TypeError("an NTAG21x is one of three models")
        told = self._server.address(name, label, genuine=chip.genuine)
        if told["address"] is None:
            raise NotWritten(_NOWHERE)
        write_ntag21x(self._driver.exchange, chip.model, told["address"], lock=self._wishes.lock)
        return Written(told["label"], chip, None, self._wishes.lock)

    def _with_keys(self, chip: Chip, name: str, label: str | None) -> Written:
        if self._wishes.key_set is None:
            raise NotWritten(_KEYS)
        keys = self._server.keys(name, self._wishes.key_set, chip.kind, label, genuine=chip.genuine)
        lock = self._wishes.lock and chip.kind != "desfire"
        if lock and keys["address"] is None:
            raise NotWritten(_NOTHING)
        self._encode(chip, keys, lock=lock)
        self._server.written(name, keys["version"])
        return Written(keys["label"], chip, keys["version"], lock)

    def _encode(self, chip: Chip, keys: dict[str, Any], *, lock: bool) -> None:
        before, after = ([bytes.fromhex(it) for it in keys[which]] for which in ("before", "after"))
        version, address = keys["version"], keys["address"]
        if chip.transceive is None:
            write_ultralight(self._driver.exchange, before, after, version, address, lock=lock)
        elif chip.kind == "desfire":
            write_desfire(chip.transceive, APPLICATION, before, after, version)
        else:
            write_ntag424(chip.transceive, before, after, version, address, lock=lock)
