"""The real nfcpy carries the proofs: over its `udp` driver, and over its `pn532` driver before an emulated chip."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.rules.chips import originality, sun
from app.rules.chips.keyring import CardKey
from readers.cardauth import ntag21x, ntag424
from readers.cardauth.isodep import IsoDep
from readers.drivers import open_driver
from readers.emulator import Card, Desfire, EmulatedPn532, Ntag213, Ntag424, Torn, UdpCardField, UidCard, UltralightAes
from readers.taps import CardGone, CardSeen, Driver, UnusableCard

UID = bytes.fromhex("04a1b2c3d4e580")
KEY, OTHER = bytes(range(16)), bytes(16)
APPLICATION = bytes.fromhex("c0ffee")

CARDS: dict[str, tuple[Card, CardKey]] = {
    "ntag424": (Ntag424(UID, (OTHER, OTHER, KEY, OTHER, OTHER)), CardKey("ntag424", KEY, 2)),
    "ultralight": (UltralightAes(UID, (KEY, OTHER)), CardKey("ultralight_aes", KEY)),
    "desfire": (Desfire(UID, APPLICATION, (OTHER, KEY)), CardKey("desfire", KEY, 1, APPLICATION)),
    "desfire ev1": (
        Desfire(UID, APPLICATION, (KEY,), generation="EV1"),
        CardKey("desfire_ev1", KEY, 0, APPLICATION),
    ),
}


@pytest.fixture(params=["udp", "pn532"], scope="module")
def field(request: pytest.FixtureRequest) -> Iterator[UdpCardField | EmulatedPn532]:
    opened = UdpCardField() if request.param == "udp" else EmulatedPn532(baud=None, rf_ms=0)
    with opened:
        yield opened


@pytest.fixture(scope="module")
def keys() -> dict[bytes, CardKey]:
    return {}


@pytest.fixture(scope="module")
def driver(field: UdpCardField | EmulatedPn532, keys: dict[bytes, CardKey]) -> Iterator[Driver]:
    opened = open_driver(field.path, keys=keys)
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def empty_field(field: UdpCardField | EmulatedPn532, driver: Driver, keys: dict[bytes, CardKey]) -> Iterator[None]:
    keys.clear()
    yield
    field.remove()
    assert isinstance(driver.poll(4), CardGone)


@pytest.mark.parametrize("chip", CARDS)
def test_a_card_that_holds_its_key_is_seen_at_level_a(
    chip: str, field: UdpCardField | EmulatedPn532, driver: Driver, keys: dict[bytes, CardKey]
) -> None:
    card, keys[UID] = CARDS[chip]
    field.present(card)
    seen = driver.poll(4)
    assert isinstance(seen, CardSeen)
    assert (seen.uid, seen.assurance) == (UID, "A")


@pytest.mark.parametrize("chip", CARDS)
def test_a_card_with_anothers_uid_is_no_means_of_payment(
    chip: str, field: UdpCardField | EmulatedPn532, driver: Driver, keys: dict[bytes, CardKey]
) -> None:
    card, key = CARDS[chip]
    keys[UID] = CardKey(key.chip, OTHER[:-1] + b"\x01", key.key_no, key.application)
    field.present(card)
    seen = driver.poll(4)
    assert isinstance(seen, UnusableCard)
    assert seen.reason == "not_proven"


@pytest.mark.parametrize("copy", [Ntag213(UID), UidCard(UID)], ids=["refuses", "silent"])
@pytest.mark.parametrize("chip", ["ntag424", "ultralight"])
def test_a_cheap_copy_of_a_uid_is_no_means_of_payment(
    chip: str, copy: Card, field: UdpCardField | EmulatedPn532, driver: Driver, keys: dict[bytes, CardKey]
) -> None:
    _, keys[UID] = CARDS[chip]
    field.present(copy)
    seen = driver.poll(8)
    assert isinstance(seen, UnusableCard)
    assert seen.reason == "not_proven"


def test_a_card_without_a_key_here_is_seen_at_level_c(field: UdpCardField | EmulatedPn532, driver: Driver) -> None:
    field.present(CARDS["ntag424"][0])
    seen = driver.poll(4)
    assert isinstance(seen, CardSeen)
    assert seen.assurance == "C"


def test_a_card_that_left_in_the_middle_of_its_proof_is_not_seen_and_may_come_back(
    field: UdpCardField | EmulatedPn532, driver: Driver, keys: dict[bytes, CardKey]
) -> None:
    card, keys[UID] = CARDS["ultralight"]
    torn = Torn(card, 1)
    field.present(torn)
    assert driver.poll(0.5) is None
    assert torn.gone
    torn.put_back()
    seen = driver.poll(4)
    assert isinstance(seen, CardSeen)
    assert seen.assurance == "A"


def test_the_makers_signature_is_read_and_verified(field: UdpCardField | EmulatedPn532, driver: Driver) -> None:
    # The chip of AN11350's example.
    uid = bytes.fromhex("04E10CDA993C80")
    signature = bytes.fromhex("8B76052EE42F5567BEB53238B3E3F9950707C0DCC956B5C5EFCFDB709B2D82B3")
    field.present(Ntag213(uid, signature=signature))
    assert isinstance(driver.poll(4), CardSeen)
    assert ntag21x.model(driver.exchange) == "NTAG213"
    assert originality.genuine("ntag21x", uid, ntag21x.signature(driver.exchange))


def test_a_card_is_set_up_for_phones_and_its_message_verified(
    field: UdpCardField | EmulatedPn532, driver: Driver
) -> None:
    card = Ntag424(UID)
    field.present(card)
    assert isinstance(driver.poll(4), CardSeen)
    file = ntag424.sun_file("https://example.test/c/abcdefgh?e={e}&c={c}")
    isodep = IsoDep(driver.exchange)
    session = ntag424.authenticate(isodep.transceive, 0, OTHER)
    ntag424.write(session, ntag424.NDEF_FILE, file.content, mode="plain")
    ntag424.set_up_sun(session, file, meta_key=1, file_key=2)
    ntag424.change_key(session, 2, OTHER, KEY)
    ntag424.change_key_0(session, KEY)
    # What a phone does: select, and read without any key.
    isodep.transceive(bytes.fromhex("00a4040007d276000085010100"))
    isodep.transceive(bytes.fromhex("00a4000c02e104"))
    read = isodep.transceive(bytes.fromhex("00b0000000"))
    text = read[2:].split(b"\x04", 1)[1].rstrip(b"\x00\x90").decode()
    encrypted, _, mac = text.partition("?e=")[2].partition("&c=")
    message = sun.read(OTHER, encrypted)
    assert message == sun.Sun(UID, card.counter)
    sun.verify(KEY, message, mac[:16])
