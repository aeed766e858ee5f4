"""Keys and address on an emulated NTAG 424 DNA: written, read back, torn at every command, and written anew."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.rules.chips import sun
from app.rules.chips.keyring import FILE_KEY, META_KEY
from readers.cardauth import NotProven, ntag424
from readers.cardauth.encoding import write_ntag424
from readers.cardauth.isodep import IsoDep
from readers.emulator import Card, Ntag424, Torn
from readers.taps import CardSilent

UID = bytes.fromhex("04a1b2c3d4e580")
FACTORY = (bytes(16),) * 5
FIRST = tuple(bytes([10 + number] * 16) for number in range(5))
SECOND = tuple(bytes([20 + number] * 16) for number in range(5))
ADDRESS = "https://comptoir.example/c/abcdefghijklmnopqrstuv?e={e}&c={c}"


def laid_down(card: Card) -> Callable[[bytes], bytes]:
    """A reader that just found it."""
    card.power_on()

    def exchange(frame: bytes) -> bytes:
        answer = card.process(frame)
        if answer is None:
            raise CardSilent("no answer")
        return answer

    return IsoDep(exchange).transceive


def test_keys_are_written_read_back_and_written_anew() -> None:
    card = Ntag424(UID)
    write_ntag424(laid_down(card), FACTORY, FIRST, 1, ADDRESS)
    assert (card.keys, card.versions) == (list(FIRST), [1] * 5)
    write_ntag424(laid_down(card), FIRST, SECOND, 2, ADDRESS)
    assert (card.keys, card.versions) == (list(SECOND), [2] * 5)


def test_a_tap_of_a_phone_says_who_the_card_is() -> None:
    card = Ntag424(UID)
    write_ntag424(laid_down(card), FACTORY, FIRST, 1, ADDRESS)
    transceive = laid_down(card)
    address = phone_reads(transceive)
    assert address.startswith("https://comptoir.example/c/abcdefghijklmnopqrstuv?e=")
    encrypted, mac = address.partition("?e=")[2].split("&c=")
    said = sun.read(FIRST[META_KEY], encrypted)
    assert said.uid == UID
    sun.verify(FIRST[FILE_KEY], said, mac)


def phone_reads(transceive: Callable[[bytes], bytes]) -> str:
    """The address, as any phone reads the NDEF file: ISO commands without a key."""
    for select in ("00a4040007d2760000850101", "00a4000c02e104"):
        assert transceive(bytes.fromhex(select)).endswith(b"\x90\x00")
    size = int.from_bytes(transceive(bytes.fromhex("00b0000002"))[:2])
    content = transceive(bytes.fromhex("00b00002") + bytes([size]))[:-2]
    assert content[3:5] == b"U\x04"
    return "https://" + content[5:].decode()


@pytest.mark.parametrize("heard", [False, True], ids=["unheard", "heard"])
def test_torn_at_every_command_it_is_finished_when_it_comes_back(heard: bool) -> None:
    whole = Torn(Ntag424(UID), 10**6)
    write_ntag424(laid_down(whole), FACTORY, FIRST, 1, ADDRESS)
    for at in range(whole.commands):
        card = Ntag424(UID)
        torn = Torn(card, at, heard=heard)
        with pytest.raises(CardSilent):
            write_ntag424(laid_down(torn), FACTORY, FIRST, 1, ADDRESS)
        torn.put_back()
        write_ntag424(laid_down(torn), FACTORY, FIRST, 1, ADDRESS)
        assert (card.keys, card.versions) == (list(FIRST), [1] * 5), at


def test_a_card_with_other_keys_is_left_as_it_is() -> None:
    card = Ntag424(UID, SECOND)
    with pytest.raises(NotProven):
        write_ntag424(laid_down(card), FACTORY, FIRST, 1, ADDRESS)
    assert card.keys == list(SECOND)


def test_without_an_address_the_file_stays() -> None:
    card = Ntag424(UID)
    write_ntag424(laid_down(card), FACTORY, FIRST, 1, None)
    assert (
        ntag424.read(ntag424.authenticate(laid_down(card), 0, FIRST[0]), ntag424.NDEF_FILE, 2, mode="plain") == b"\0\0"
    )
