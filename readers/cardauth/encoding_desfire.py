"""Writing our keys on a MIFARE DESFire EV2 or EV3, in an application of our own, and reading them back.

The application is made with the keys of the factory; from there it is as on an NTAG 424 DNA: key 0 is written last, and
every key says by its version whether it was. What else is on the card is not touched, and the card's own master key
stays: whoever has that can take our application away, and then the card proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from readers.cardauth import desfire, ev2, native
from readers.cardauth.encoding import check_keys, write_keys
from readers.cardauth.errors import Refused

_CREATE: Final = 0xCA
_NO_APPLICATION: Final = 0xA0
# Key 0 changes keys and settings; its application is listed, and taken away by key 0 alone.
_SETTINGS: Final = 0x0B
_AES: Final = 0x80


def write_desfire(
    transceive: native.Transceive, application: bytes, before: Sequence[bytes], after: Sequence[bytes], version: int
) -> None:
    """Make the application hold the keys `after` under this version (1 to 255), where it held `before`, was half way or
    is not there yet. Raises NotProven (it holds other keys), Refused, Malformed, CardSilent, ReaderFault."""
    try:
        desfire.select(transceive, application)
    except Refused as error:
        if error.status != _NO_APPLICATION:
            raise
        create(transceive, application, len(after))

    def opened(number: int, key: bytes) -> ev2.Session:
        desfire.select(transceive, application)
        return ev2.authenticate(transceive, number, key)

    write_keys(opened, before, after, version)
    check_keys(opened, after)


def create(transceive: native.Transceive, application: bytes, keys: int) -> None:
    """An application with so many AES keys, all zeros. Raises Refused, also where the card lets only the holder of its
    master key make one; Malformed."""
    desfire.select(transceive, bytes(len(application)))
    native.ask(transceive, "a new application", _CREATE, application + bytes([_SETTINGS, _AES | keys]))
