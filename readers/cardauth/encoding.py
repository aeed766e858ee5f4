"""Writing our keys and the holder's address on an NTAG 424 DNA, and reading them back.

Key 0 is written last: on a card that was left half way it is the key before, and each other key says by its version
whether it was written. So a card that was taken away in the middle is laid down again and finished.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.rules.chips.keyring import FILE_KEY, META_KEY, TILL_KEY
from readers.cardauth import allowance, ev2, native, ntag424
from readers.cardauth.errors import Malformed, NotProven
from readers.cardauth.ntag424 import KEYS, NDEF_FILE, SunFile


def write_ntag424(
    transceive: native.Transceive,
    before: Sequence[bytes],
    after: Sequence[bytes],
    version: int,
    address: str | None,
) -> None:
    """Make the card hold the five keys `after` under this version (1 to 255), where it held `before` or was half way.

    `address`: as `ntag424.sun_file` takes it; None: its file stays as it is. Raises NotProven (the card holds other
    keys, or not what was written), Refused, Malformed, CardSilent, ReaderFault.
    """
    file = None if address is None else ntag424.sun_file(address)
    session = _master_session(transceive, before[0])
    if session is None:
        session = _master_session(transceive, after[0])
        if session is None:
            raise NotProven("the card holds neither the keys that it should have nor new ones")
        _check(transceive, session, after, version, file)
        return
    for number in range(1, KEYS):
        if ntag424.key_version(session, number) != version:
            ntag424.change_key(session, number, before[number], after[number], version)
    if file is not None:
        ntag424.write(session, NDEF_FILE, file.content, mode="plain")
        ntag424.set_up_sun(session, file, meta_key=META_KEY, file_key=FILE_KEY)
    allowance.set_up(session, TILL_KEY["ntag424"])
    ntag424.change_key_0(session, after[0], version)
    session = _master_session(transceive, after[0])
    if session is None:
        raise NotProven("the card does not hold the key that was written")
    _check(transceive, session, after, version, file)


def _master_session(transceive: native.Transceive, key: bytes) -> ev2.Session | None:
    try:
        return ntag424.authenticate(transceive, 0, key)
    except NotProven:
        return None


def _check(
    transceive: native.Transceive, session: ev2.Session, keys: Sequence[bytes], version: int, file: SunFile | None
) -> None:
    """Read back what stands there, and have a card that carries nothing of its sales begin to. NotProven, Malformed,
    Refused."""
    found = [ntag424.key_version(session, number) for number in range(KEYS)]
    if found != [version] * KEYS:
        raise NotProven(f"the card's keys have the versions {found} instead of {version}")
    if file is not None:
        read = ntag424.read(session, NDEF_FILE, file.picc_offset, mode="plain")
        if read != file.content[: file.picc_offset]:
            raise Malformed("the address on the card is not the one that was written")
    for number in range(1, KEYS):
        proven = ntag424.authenticate(transceive, number, keys[number])
        if number == TILL_KEY["ntag424"]:
            allowance.begin(proven, keys[number])
