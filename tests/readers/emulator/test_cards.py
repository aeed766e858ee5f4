"""The card models, frame by frame."""

from __future__ import annotations

import pytest

from readers.emulator import Ntag213, UidCard, card_with_uid

UID = bytes.fromhex("04a1b2c3d4e580")


def test_an_ntag213_holds_its_uid_with_check_bytes_in_its_first_pages() -> None:
    # 88 ^ 04 ^ a1 ^ b2 = 9f and c3 ^ d4 ^ e5 ^ 80 = 72, as ISO/IEC 14443-3 has it.
    assert Ntag213(UID).process(b"\x30\x00") == bytes.fromhex("04a1b29f c3d4e580 72480000 e1101200")


def test_an_ntag213_says_what_it_is() -> None:
    assert Ntag213(UID).process(b"\x60") == bytes.fromhex("0004040201000f03")


def test_reading_past_the_last_page_rolls_over_to_the_first() -> None:
    answer = Ntag213(UID).process(b"\x30\x2c")
    assert answer is not None
    assert answer[4:7] == UID[:3]


def test_what_was_written_is_read_back() -> None:
    card = Ntag213(UID)
    assert card.process(b"\xa2\x14test") == b"\x0a"
    assert card.process(b"\x3a\x14\x14") == b"test"


@pytest.mark.parametrize("command", ["302d", "3a0504", "3a002d", "a20000000000", "a22d00000000", "77", "30"])
def test_commands_it_cannot_follow_are_refused(command: str) -> None:
    assert Ntag213(UID).process(bytes.fromhex(command)) == b"\x00"


def test_a_halted_card_is_silent() -> None:
    assert Ntag213(UID).process(b"\x50\x00") is None


def test_the_password_cannot_be_read() -> None:
    assert Ntag213(UID).process(b"\x3a\x2b\x2c") == bytes(8)


def test_an_address_too_long_for_the_chip_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        Ntag213(UID, "https://example.test/" + "a" * 125)
    with pytest.raises(ValueError, match="does not fit"):
        Ntag213(UID, "https://example.test/" + "a" * 300)


@pytest.mark.parametrize("size", [0, 3, 5, 8, 11])
def test_a_uid_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="4, 7 or 10"):
        UidCard(bytes(size))


@pytest.mark.parametrize(("size", "model"), [(4, UidCard), (7, Ntag213), (10, UidCard)])
def test_the_length_of_the_uid_chooses_the_model(size: int, model: type[UidCard]) -> None:
    assert type(card_with_uid(bytes(size))) is model
