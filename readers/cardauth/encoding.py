"""Writing our keys and the holder's address on an NTAG 424 DNA, and reading them back.

Key 0 is written last: on a card that was left half way it is the key before, and each other key says by its version
whether it was written. So a card that was taken away in the middle is laid down again and finished.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.rules.chips.keyring import FILE_KEY, META_KEY, TILL_KEY
from readers.cardauth import allowance, ev2, native, ntag424
from readers.cardauth.errors import Malformed, NotProven
from readers.cardauth.ntag424 import NDEF_FILE, NEVER, SunFile

Opened = Callable[[int, bytes], ev2.Session]
"""A session of the key with this number, which is this one. Raises NotProven, Refused, Malformed."""


def write_ntag424(
    transceive: native.Transceive,
    before: Sequence[bytes],
    after: Sequence[bytes],
    version: int,
    address: str | None,
    *,
    lock: bool = False,
) -> None:
    """Make the card hold the five keys `after` under this version (1 to 255), where it held `before` or was half way.

    `address`: as `ntag424.sun_file` takes it; None: its file stays as it is. `lock`: nobody changes the address again,
    who has the keys neither; on a card that is locked it is only compared. Raises NotProven (the card holds other
    keys, or not what was written), Refused, Malformed, CardSilent, ReaderFault.
    """
    file = None if address is None else ntag424.sun_file(address)

    def opened(number: int, key: bytes) -> ev2.Session:
        return ntag424.authenticate(transceive, number, key)

    def settle(session: ev2.Session) -> None:
        if file is not None and not _locked(session):
            ntag424.write(session, NDEF_FILE, file.content, mode="plain")
            ntag424.set_up_sun(session, file, meta_key=META_KEY, file_key=FILE_KEY)
        allowance.set_up(session, TILL_KEY["ntag424"])

    session = write_keys(opened, before, after, version, settle)
    if file is not None:
        read = ntag424.read(session, NDEF_FILE, file.picc_offset, mode="plain")
        if read != file.content[: file.picc_offset]:
            raise Malformed("the address on the card is not the one that was written")
    check_keys(opened, after)
    allowance.begin(opened(TILL_KEY["ntag424"], after[TILL_KEY["ntag424"]]), after[TILL_KEY["ntag424"]])
    if lock:
        _lock(opened(0, after[0]), file)


def write_keys(
    opened: Opened,
    before: Sequence[bytes],
    after: Sequence[bytes],
    version: int,
    settle: Callable[[ev2.Session], None] = lambda _session: None,
) -> ev2.Session:
    """Keys that key 0 changes: `after` instead of `before`. `settle`: what else is to be done before key 0 is the new
    one. A session of the new key 0, in which all keys say that they are of this version. Raises as `opened` and
    NotProven."""
    session = _known(opened, before[0])
    if session is not None:
        for number in range(1, len(after)):
            if ntag424.key_version(session, number) != version:
                ntag424.change_key(session, number, before[number], after[number], version)
        settle(session)
        ntag424.change_key_0(session, after[0], version)
    session = _known(opened, after[0])
    if session is None:
        raise NotProven("the card holds neither the keys that it should have nor new ones")
    found = [ntag424.key_version(session, number) for number in range(len(after))]
    if found != [version] * len(after):
        raise NotProven(f"the card's keys have the versions {found} instead of {version}")
    return session


def check_keys(opened: Opened, keys: Sequence[bytes]) -> None:
    """All but key 0, which was proven already. NotProven."""
    for number in range(1, len(keys)):
        opened(number, keys[number])


def _known(opened: Opened, key: bytes) -> ev2.Session | None:
    try:
        return opened(0, key)
    except NotProven:
        return None


def _locked(session: ev2.Session) -> bool:
    """Whether nobody may change the settings of the NDEF file any more, nor write it."""
    return ntag424.rights(session, NDEF_FILE) == (NEVER, NEVER, NEVER)


def _lock(session: ev2.Session, file: SunFile | None) -> None:
    """In a session of key 0. Refused, Malformed; ValueError: without an address there is nothing to lock."""
    if file is None:
        raise ValueError("without an address there is nothing to lock")
    if _locked(session):
        return
    ntag424.set_up_sun(session, file, meta_key=META_KEY, file_key=FILE_KEY, change=NEVER)
    if not _locked(session):
        raise Malformed("the card's file is not locked")
