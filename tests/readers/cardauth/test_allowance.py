"""What an emulated NTAG 424 DNA carries: through its own protocol, its rights, and torn at every command and byte."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.rules.chips.allowance import FILE_BYTES, SLOT_BYTES, Carried, Owed
from app.rules.chips.keyring import CardKey
from readers.cardauth import NotProven, Refused, ev2, ntag424
from readers.cardauth.allowance import CarriesNothing, carry
from readers.cardauth.encoding import write_ntag424
from readers.cardauth.errors import Exchange
from readers.cardauth.isodep import IsoDep
from readers.cardauth.ntag424 import DATA_FILE
from readers.emulator import Card, Ntag424, Torn
from readers.taps import CardSilent

UID = bytes.fromhex("04a1b2c3d4e580")
FACTORY = (bytes(16),) * 5
KEYS = tuple(bytes([10 + number] * 16) for number in range(5))
KEY = CardKey("ntag424", KEYS[1], 1)
ONE = Carried((Owed(b"bar", 1, 7, b"RA", 450),))
TWO = Carried((Owed(b"bar", 1, 9, b"RA", 900), Owed(b"tap", 2, 3, b"RA", 300)), 1_700_000_000_000)


def laid_down(card: Card) -> Exchange:
    card.power_on()

    def exchange(frame: bytes) -> bytes:
        answer = card.process(frame)
        if answer is None:
            raise CardSilent("no answer")
        return answer

    return exchange


def written() -> Ntag424:
    card = Ntag424(UID)
    write_ntag424(IsoDep(laid_down(card)).transceive, FACTORY, KEYS, 1, None)
    return card


def as_told(state: Carried) -> Callable[[Carried], Carried]:
    return lambda _: state


def opened(card: Card, number: int) -> ev2.Session:
    return ntag424.authenticate(IsoDep(laid_down(card)).transceive, number, KEYS[number])


def carried_by(card: Card) -> Carried:
    found: list[Carried] = []
    carry(KEY, laid_down(card), found.append)
    return found[0]


def test_a_card_from_the_desk_owes_nothing_and_carries_what_it_is_given() -> None:
    card = written()
    assert carried_by(card) == Carried()
    for state in (ONE, TWO, ONE):
        assert carry(KEY, laid_down(card), as_told(state)) == state
        assert carried_by(card) == state


@pytest.mark.parametrize("heard", [False, True], ids=["unheard", "heard"])
def test_taken_away_at_every_command_it_carries_what_it_did_or_what_it_was_told(heard: bool) -> None:
    whole = Torn(written(), 10**6)
    carry(KEY, laid_down(whole), lambda _: TWO)
    told = []
    for at in range(whole.commands):
        card = written()
        carry(KEY, laid_down(card), lambda _: ONE)
        torn = Torn(card, at, heard=heard)
        with pytest.raises(CardSilent):
            carry(KEY, laid_down(torn), lambda _: TWO)
        torn.put_back()
        told.append(carried_by(torn) == TWO)
        assert told[-1] or carried_by(torn) == ONE
        assert carry(KEY, laid_down(torn), lambda _: TWO) == TWO
        assert carried_by(torn) == TWO
    # Only the last command writes, and only if the card heard it.
    assert told == [False] * (whole.commands - 1) + [heard]


def test_torn_at_every_byte_it_carries_one_or_the_other_and_can_be_written_again() -> None:
    for at in range(SLOT_BYTES + 1):
        card = written()
        carry(KEY, laid_down(card), lambda _: ONE)
        card.tear_at = at
        with pytest.raises(CardSilent):
            carry(KEY, laid_down(card), lambda _: TWO)
        assert carried_by(card) == (TWO if at == SLOT_BYTES else ONE)
        carry(KEY, laid_down(card), lambda _: TWO)
        assert carried_by(card) == TWO


def test_the_desk_torn_in_its_first_write_begins_anew() -> None:
    for at in (0, 1, SLOT_BYTES - 1, SLOT_BYTES, FILE_BYTES - 1):
        card = Ntag424(UID)
        card.tear_at = at
        with pytest.raises(CardSilent):
            write_ntag424(IsoDep(laid_down(card)).transceive, FACTORY, KEYS, 1, None)
        write_ntag424(IsoDep(laid_down(card)).transceive, FACTORY, KEYS, 1, None)
        assert carried_by(card) == Carried()


def test_new_keys_begin_anew() -> None:
    card, after = written(), tuple(bytes([20 + number] * 16) for number in range(5))
    carry(KEY, laid_down(card), lambda _: TWO)
    write_ntag424(IsoDep(laid_down(card)).transceive, KEYS, after, 2, None)
    found: list[Carried] = []
    carry(replace(KEY, key=after[1]), laid_down(card), found.append)
    assert found == [Carried()]


def test_a_card_without_the_file_or_with_nothing_whole_carries_nothing() -> None:
    # As cards were written before: our keys, and the file as the chip left the factory.
    with pytest.raises(CarriesNothing, match="no file"):
        carry(KEY, laid_down(Ntag424(UID, KEYS)), lambda _: ONE)
    card = written()
    ntag424.write(opened(card, 1), DATA_FILE, bytes(FILE_BYTES), mode="mac")
    with pytest.raises(CarriesNothing, match="neither"):
        carry(KEY, laid_down(card), lambda _: ONE)
    with pytest.raises(CarriesNothing, match="chip"):
        carry(CardKey("desfire", KEYS[1], 1), laid_down(card), lambda _: ONE)


def test_only_the_till_key_reads_and_writes_it_and_only_with_a_mac() -> None:
    card = written()
    with pytest.raises(NotProven):
        carry(replace(KEY, key=KEYS[2]), laid_down(card), lambda _: ONE)
    for number in (0, 2, 3, 4):
        with pytest.raises(Refused):
            ntag424.read(opened(card, number), DATA_FILE, 4, mode="plain")
        with pytest.raises(Refused):
            ntag424.write(opened(card, number), DATA_FILE, b"evil", mode="plain")
    with pytest.raises(Refused):
        ntag424.write(opened(card, 1), DATA_FILE, b"evil", mode="plain")
    assert carried_by(card) == Carried()


def test_what_it_carries_already_is_not_written_again() -> None:
    card = written()
    carry(KEY, laid_down(card), lambda _: ONE)
    card.tear_at = 0
    assert carry(KEY, laid_down(card), lambda _: ONE) == ONE
    assert carry(KEY, laid_down(card), lambda _: None) is None
