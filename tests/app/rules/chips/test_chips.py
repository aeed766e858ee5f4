"""NXP's published vectors: AN10922 (diversification), AN12196 (SUN, signatures), AN11350 (NTAG21x signatures)."""

from __future__ import annotations

import pytest
from ecdsa import SECP128r1, SigningKey
from hypothesis import given
from hypothesis import strategies as st

from app.rules.chips import aes, diversify, originality, sun

ZEROS = bytes(16)
MASTER = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
UID = bytes.fromhex("04782E21801D80")


def test_a_cards_key_is_derived_as_an10922_2_2_1_has_it() -> None:
    key = diversify.card_key(MASTER, UID, bytes.fromhex("3042F5") + b"NXP Abu")
    assert key.hex() == "a8dd63a3b89d54b37ca802473fda9175"


@given(st.binary(min_size=1, max_size=31))
def test_for_long_input_the_derivation_is_the_plain_cmac(material: bytes) -> None:
    key = diversify.card_key(MASTER, material)
    # From two blocks on there is nothing to fill up, and RFC 4493 says the same.
    assert (key == aes.cmac(MASTER, b"\x01" + material)) == (len(material) >= 16)


@pytest.mark.parametrize("material", [(b"", b""), (b"", b"purpose"), (UID, bytes(25))])
def test_a_key_needs_a_uid_and_takes_no_more_than_31_bytes(material: tuple[bytes, bytes]) -> None:
    with pytest.raises(ValueError, match="31 bytes"):
        diversify.card_key(MASTER, *material)


def test_a_sun_message_is_read_and_verified_as_an12196_3_4_2() -> None:
    message = sun.read(ZEROS, "EF963FF7828658A599F3041510671E88")
    assert message == sun.Sun(bytes.fromhex("04DE5F1EACC040"), 0x3D)
    sun.verify(ZEROS, message, "94EED9EE65337086")
    sun.verify(ZEROS, message, "94eed9ee65337086")


def test_a_sun_message_with_file_data_is_verified_and_decrypted_as_an12196_3_5() -> None:
    message = sun.read(ZEROS, "FD91EC264309878BE6345CBE53BADF40")
    file = "CEE9A53E3E463EF1F459635736738962"
    sun.verify(ZEROS, message, "ECC1E7F6C6C73BF6", f"{file}&cmac=".encode())
    assert sun.decrypt_file(ZEROS, message, file) == b"xxxxxxxxxxxxxxxx"


@pytest.mark.parametrize(
    ("encrypted", "mac", "meta", "key"),
    [
        ("EF963FF7828658A599F3041510671E88", "94EED9EE65337087", ZEROS, ZEROS),
        ("EF963FF7828658A599F3041510671E88", "94EED9EE65337086", ZEROS, MASTER),
        ("EF963FF7828658A599F3041510671E88", "94EED9EE65337086", MASTER, ZEROS),
        ("EF963FF7828658A599F3041510671E88", "94EED9EE653370", ZEROS, ZEROS),
        ("EF963FF7828658A599F3041510671E", "94EED9EE65337086", ZEROS, ZEROS),
        (" EF963FF7828658A599F3041510671E88", "94EED9EE65337086", ZEROS, ZEROS),
        ("", "", ZEROS, ZEROS),
    ],
)
def test_a_changed_or_foreign_sun_message_is_none(encrypted: str, mac: str, meta: bytes, key: bytes) -> None:
    with pytest.raises(sun.NotSun):
        sun.verify(key, sun.read(meta, encrypted), mac)


@given(st.text(), st.text(), st.binary())
def test_whatever_stands_in_an_address_is_a_clear_answer(encrypted: str, mac: str, mac_input: bytes) -> None:
    for call in (
        lambda: sun.read(ZEROS, encrypted),
        lambda: sun.verify(ZEROS, sun.Sun(UID, 1), mac, mac_input),
    ):
        with pytest.raises(sun.NotSun):
            call()


@given(st.binary(min_size=7, max_size=7), st.integers(0, 2**24 - 1), st.binary(min_size=5, max_size=5), st.binary())
def test_what_a_chip_makes_is_read_back(uid: bytes, counter: int, fill: bytes, mac_input: bytes) -> None:
    encrypted, mac = sun.make(MASTER, ZEROS, sun.Sun(uid, counter), fill, mac_input)
    message = sun.read(MASTER, encrypted)
    assert message == sun.Sun(uid, counter)
    sun.verify(ZEROS, message, mac, mac_input)


SIGNED: list[tuple[originality.Signed, str, str]] = [
    # AN11350, and another chip of the kind
    ("ntag21x", "04E10CDA993C80", "8B76052EE42F5567BEB53238B3E3F9950707C0DCC956B5C5EFCFDB709B2D82B3"),
    ("ntag21x", "04DB0BDA993C80", "6048EFD9417CD10F6B7F1818D471A7FE5B46868D2EABDC6307A1E0AAE139D8D0"),
    ("ultralight_ev1", "04C1285A373080", "CEA2EB0B3C95D0844A95B824A7553703B3702378033BF0987899DB70151A19E7"),
    # AN12196, 7.2
    (
        "ntag424",
        "04518DFAA96180",
        "D1940D17CFEDA4BFF80359AB975F9F6514313E8F90C1D3CAAF5941AD744A1CDF9A83F883CAFE0FE95D1939B1B7E47113993324473B785D21",
    ),
    (
        "desfire_ev2",
        "042A41CAE45380",
        "B2769F8DDB575AEA2A680ADCA8FFED4FAB81A1E9908E2B82FE0FABB697BBD9B23835C416970E75768F12902ACA491349E94E6589EAF4F508",
    ),
    (
        "desfire_ev3",
        "04448BD2DB6B80",
        "5CBB5632795C8F15263FEFB095B51C7B541AFD914A1AE44EF6FB8AF605EDF13DBFEE6C3A2DB372245E671DFE0D42CB1F0D0B8FE67A89D2F6",
    ),
]


@pytest.mark.parametrize(("chip", "uid", "signature"), SIGNED)
def test_a_genuine_chip_is_told_from_one_with_a_changed_uid(chip: originality.Signed, uid: str, signature: str) -> None:
    number, signed = bytes.fromhex(uid), bytes.fromhex(signature)
    assert originality.genuine(chip, number, signed)
    assert not originality.genuine(chip, number[:-1] + b"\x81", signed)
    assert not originality.genuine(chip, number, signed[:-1] + bytes([signed[-1] ^ 1]))


@given(st.binary(max_size=64), st.binary(max_size=64))
def test_what_is_no_signature_is_not_genuine(uid: bytes, signature: bytes) -> None:
    assert not originality.genuine("ntag21x", uid, signature)


def test_the_key_of_an_ultralight_aes_is_a_point_of_its_curve() -> None:
    assert not originality.genuine("ultralight_aes", UID, bytes(48))


def test_chips_may_carry_a_signature_of_ones_own() -> None:
    key = SigningKey.generate(SECP128r1)
    signature = key.sign_digest(UID)
    assert originality.verifies(key.verifying_key, UID, signature)
    assert not originality.genuine("ntag21x", UID, signature)


@given(st.binary(max_size=80))
def test_padding_comes_off_again(data: bytes) -> None:
    padded = aes.pad(data)
    assert len(padded) % 16 == 0
    assert aes.unpad(padded) == data


@pytest.mark.parametrize("data", [b"", bytes(16), b"\x80" + bytes(16), b"\x01" * 16])
def test_what_was_not_padded_says_so(data: bytes) -> None:
    with pytest.raises(ValueError, match="padded"):
        aes.unpad(data)
