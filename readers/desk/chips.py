"""Which chip lies at the desk, and whether its maker signed it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from app.rules.chips import originality
from readers.cardauth import CardTrouble, native, ntag21x, type2, ultralight
from readers.cardauth.isodep import IsoDep
from readers.taps import CardSilent, Driver, ReaderFault, ReaderLost

Kind = Literal["ntag424", "desfire", "ultralight_aes", "ntag21x"]

# GetVersion: type and major version of the hardware (NT4H2421Gx data sheet, 10.5.2; AN12343).
_BLOCKS: Final[dict[tuple[int, int], tuple[Kind, originality.Signed]]] = {
    (0x04, 0x30): ("ntag424", "ntag424"),
    (0x01, 0x12): ("desfire", "desfire_ev2"),
    (0x01, 0x33): ("desfire", "desfire_ev3"),
}


class UnknownChip(Exception):
    """No chip that the desk can write."""


@dataclass(frozen=True, slots=True)
class Chip:
    """`transceive`: for those that speak in blocks. `model`: of an NTAG21x. `genuine`: its maker signed its UID."""

    kind: Kind
    genuine: bool
    transceive: native.Transceive | None = None
    model: ntag21x.Model | None = None


class Recognising:
    """Asks a chip what it is. A question that is not its own makes a chip deaf until it is looked for again, so what
    was silent to one kind of question is asked the other one first when it comes back."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._pages_first: set[bytes] = set()

    def chip(self, uid: bytes) -> Chip:
        """The chip of the card that the driver sees. UnknownChip; CardSilent, ReaderFault."""
        ways = [self._in_blocks, self._in_pages]
        for way in reversed(ways) if uid in self._pages_first else ways:
            try:
                return way(uid)
            except (CardTrouble, CardSilent) as error:
                trouble = error
            seen = self._driver.poll(0)
            if isinstance(seen, ReaderLost):
                raise ReaderFault(seen.reason, seen.detail)
            if seen is not None:
                break
        if isinstance(trouble, CardSilent):
            self._pages_first ^= {uid}
            raise trouble
        raise UnknownChip("this is no chip that we can write") from trouble

    def _in_blocks(self, uid: bytes) -> Chip:
        transceive = IsoDep(self._driver.exchange).transceive
        version = native.get_version(transceive)
        found = _BLOCKS.get((version.kind, version.major))
        if found is None:
            raise UnknownChip("this chip holds no keys that we can write")
        kind, signed = found
        return Chip(kind, _genuine(signed, uid, lambda: native.read_signature(transceive)), transceive)

    def _in_pages(self, uid: bytes) -> Chip:
        exchange = self._driver.exchange
        version = type2.version(exchange)
        if version == ultralight.VERSION:
            return Chip("ultralight_aes", _genuine("ultralight_aes", uid, lambda: ultralight.signature(exchange)))
        model = ntag21x.MODELS.get(version)
        if model is None:
            raise UnknownChip("this is no chip that we can write")
        return Chip("ntag21x", _genuine("ntag21x", uid, lambda: ntag21x.signature(exchange)), model=model)


def _genuine(signed: originality.Signed, uid: bytes, signature: Callable[[], bytes]) -> bool:
    try:
        return originality.genuine(signed, uid, signature())
    except CardTrouble:
        return False
