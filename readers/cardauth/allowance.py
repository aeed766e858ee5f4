"""What an NTAG 424 DNA carries of its offline sales, in its own data file (app.rules.chips.allowance).

Whoever proves the card may read and write it, with a MAC on each command and answer (NT4H2421Gx data sheet, 9.1.9);
only the desk, with key 0, may say otherwise.
"""

from __future__ import annotations

from collections.abc import Callable

from app.rules.chips.allowance import FILE_BYTES, Carried, blank, read, written
from app.rules.chips.keyring import CardKey
from readers.cardauth import ev2, ntag424
from readers.cardauth.errors import CardTrouble, Exchange, Malformed, Refused
from readers.cardauth.isodep import IsoDep
from readers.cardauth.ntag424 import DATA_FILE, NEVER


class CarriesNothing(CardTrouble):
    """The card proved itself, and has no such file, or nothing whole in it."""


def set_up(session: ev2.Session, till_key: int) -> None:
    """In a session of key 0: only `till_key` reads and writes the file. Refused, NotProven."""
    settings = bytes([0x01, till_key << 4, NEVER << 4 | NEVER])
    session.command("new settings of its data file", 0x5F, bytes([DATA_FILE]), settings, mode="full")


def begin(session: ev2.Session, key: bytes) -> None:
    """In a session of this till key: a card that carries nothing that counts owes nothing from now on. Refused,
    NotProven, Malformed."""
    if read(key, _file(session)) is not None:
        return
    ntag424.write(session, DATA_FILE, blank(key), mode="mac")
    if _file(session) != blank(key):
        raise Malformed("the card does not carry what was written")


def carry(card: CardKey, exchange: Exchange, onwards: Callable[[Carried], Carried | None]) -> Carried | None:
    """Have the card in the field carry what `onwards` makes of what it carries; returned once the card said so. None:
    it was not to be changed.

    Raises CarriesNothing; NotProven; what `onwards` raises; CardSilent or Malformed, after which the card carries
    either; ReaderFault.
    """
    if card.chip != "ntag424":
        raise CarriesNothing("this chip carries nothing")
    session = ntag424.authenticate(IsoDep(exchange).transceive, card.key_no, card.key)
    try:
        file = _file(session)
    except Refused as error:
        raise CarriesNothing(f"no file for it: {error}") from error
    slots = read(card.key, file)
    if slots is None:
        raise CarriesNothing("neither slot is whole")
    after = onwards(slots.carried)
    if after is None or after == slots.carried:
        return after
    offset, slot = written(card.key, slots, after)
    ntag424.write(session, DATA_FILE, slot, mode="mac", offset=offset)
    return after


def _file(session: ev2.Session) -> bytes:
    return ntag424.read(session, DATA_FILE, FILE_BYTES, mode="mac")
