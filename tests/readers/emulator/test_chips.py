"""The chip models: what they decline, and a card torn from the reader at each single command."""

from __future__ import annotations

import pytest

from readers.cardauth import CardTrouble, NotProven, Refused, desfire, ev2, native, ntag21x, ntag424, ultralight
from readers.cardauth.errors import Exchange
from readers.cardauth.isodep import IsoDep
from readers.emulator import Card, Desfire, Ntag213, Ntag215, Ntag216, Ntag424, Torn, UltralightAes
from readers.taps import CardSilent

UID = bytes.fromhex("04a1b2c3d4e580")
FACTORY, KEY, APP_KEY = bytes(16), bytes(range(16)), bytes(range(16, 32))


def talking(card: Card) -> Exchange:
    """As a driver without a reader: silence is CardSilent."""

    def exchange(frame: bytes) -> bytes:
        answer = card.process(frame)
        if answer is None:
            raise CardSilent("no answer")
        return answer

    return exchange


def in_session(card: Card, key_no: int = 0, key: bytes = FACTORY) -> ev2.Session:
    card.power_on()
    return ntag424.authenticate(IsoDep(talking(card)).transceive, key_no, key)


FILE = ntag424.sun_file("https://example.test/c/abcdefgh?e={e}&c={c}")


def encode(card: Card) -> None:
    """From the factory, or from wherever a torn write left it, to a card of ours."""
    try:
        session = in_session(card, 0, KEY)
    except NotProven:
        session = in_session(card)
    ntag424.write(session, ntag424.NDEF_FILE, FILE.content, mode="plain")
    ntag424.set_up_sun(session, FILE, meta_key=1, file_key=2)
    if ntag424.key_version(session, 2) != 7:
        ntag424.change_key(session, 2, FACTORY, APP_KEY, version=7)
    ntag424.change_key_0(session, KEY, version=7)


def test_a_card_that_is_torn_away_at_any_command_can_be_finished_afterwards() -> None:
    whole = Torn(Ntag424(UID), -1)
    encode(whole)
    assert whole.commands > 10
    for at in range(whole.commands):
        for heard in (False, True):
            chip = Ntag424(UID)
            torn = Torn(chip, at, heard=heard)
            with pytest.raises((CardSilent, CardTrouble)):
                encode(torn)
            assert chip.keys[0] in (FACTORY, KEY)
            assert chip.keys[2] in (FACTORY, APP_KEY)
            torn.put_back()
            encode(torn)
            assert (chip.keys[0], chip.keys[2]) == (KEY, APP_KEY)
            in_session(chip, 2, APP_KEY)


def test_a_session_reads_and_writes_its_own_file_encrypted() -> None:
    card = Ntag424(UID)
    writer = in_session(card, 3)
    ntag424.write(writer, ntag424.DATA_FILE, b"sixteen bytes ok", mode="full", offset=8)
    reader = in_session(card, 2)
    assert ntag424.read(reader, ntag424.DATA_FILE, 16, mode="full", offset=8) == b"sixteen bytes ok"
    with pytest.raises(Refused, match="9D"):
        ntag424.write(reader, ntag424.DATA_FILE, b"x", mode="full")
    with pytest.raises(ValueError, match="closed"):
        ntag424.read(reader, ntag424.DATA_FILE, 16, mode="full")


def test_the_settings_of_a_file_are_read_back_as_they_were_set() -> None:
    card = Ntag424(UID)
    session = in_session(card)
    ntag424.set_up_sun(session, FILE, meta_key=1, file_key=2)
    settings = ntag424.file_settings(session, ntag424.NDEF_FILE)
    assert settings[:7].hex() == "004000e0000100"
    assert settings[7:10].hex() == "c1f212"
    assert [int.from_bytes(settings[at : at + 3], "little") for at in (10, 13, 16)] == [
        FILE.picc_offset,
        FILE.mac_offset,
        FILE.mac_offset,
    ]


def test_a_card_with_a_random_uid_says_its_true_one_to_who_knows_the_key() -> None:
    card = Ntag424(UID, random_uid=True)
    session = in_session(card)
    shown = card.uid
    assert len(shown) == 4
    assert shown[0] == 0x08
    assert ntag424.card_uid(session) == UID
    card.power_on()
    assert card.uid != shown


def test_only_key_0_changes_keys_and_a_wrong_old_key_changes_nothing() -> None:
    card = Ntag424(UID)
    with pytest.raises(Refused, match="9D"):
        ntag424.change_key(in_session(card, 1), 2, FACTORY, KEY)
    with pytest.raises(Refused, match="1E"):
        ntag424.change_key(in_session(card), 2, KEY, APP_KEY)
    assert card.keys == [FACTORY] * 5


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("9071000002050000", "9140"),
        ("90C4000001000000", "917e"),
        ("90C40000010000", "919d"),
        ("9099000000", "911c"),
        ("90AF000000", "911c"),
        ("8060000000", "6e00"),
        ("00b0000000", "6d00"),
        ("00a4040007d276000085010200", "6a82"),
    ],
)
def test_what_the_chip_does_not_do_it_declines_with_its_own_code(command: str, answer: str) -> None:
    card = Ntag424(UID)
    ask = IsoDep(talking(card)).transceive
    native.select_by_name(ask, ntag424.APPLICATION)
    assert ask(bytes.fromhex(command)).hex() == answer


def test_a_desfire_of_the_first_generation_does_not_know_ev2() -> None:
    card = Desfire(UID, b"\x01\x02\x03", (KEY,), generation="EV1")
    ask = IsoDep(talking(card)).transceive
    with pytest.raises(Refused, match="A0"):
        desfire.select(ask, b"\x03\x02\x01")
    desfire.select(ask, b"\x01\x02\x03")
    with pytest.raises(Refused, match="1C"):
        ev2.authenticate(ask, 0, KEY)
    desfire.authenticate_aes(ask, 0, KEY)
    assert native.get_version(ask).major == 0x01


def test_an_ultralight_aes_opens_its_memory_after_a_proof_and_checks_each_command() -> None:
    card = UltralightAes(UID, (KEY, FACTORY), protected_from=4, demands_macs=True, read_protected=True)
    ask = talking(card)
    assert ask(b"\x30\x04") == b"\x00"
    session = ultralight.authenticate(ask, ultralight.DATA_KEY, KEY)
    session.write(8, b"beer")
    assert session.read(8)[:4] == b"beer"
    assert ask(b"\x30\x08" + bytes(8)) == b"\x00"
    with pytest.raises(Refused):
        session.read(8)


def test_an_ntag_is_written_after_its_password_and_counts_its_taps() -> None:
    card = Ntag213(UID, password=b"pass", acknowledgement=b"ok")
    ask = talking(card)
    assert ask(b"\xa2\x05beer") == b"\x00"
    with pytest.raises(NotProven):
        ntag21x.unlock(ask, b"word", b"ok")
    ntag21x.unlock(ask, b"pass", b"ok")
    assert ask(b"\xa2\x05beer") == b"\x0a"
    for _ in range(3):
        card.power_on()
        ask(b"\x30\x04")
        ask(b"\x30\x08")
    assert ntag21x.taps(ask) == 3


@pytest.mark.parametrize(("kind", "name"), [(Ntag213, "NTAG213"), (Ntag215, "NTAG215"), (Ntag216, "NTAG216")])
def test_each_ntag_says_which_it_is(kind: type[Ntag213], name: str) -> None:
    assert ntag21x.model(talking(kind(UID))) == name
