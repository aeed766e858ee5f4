"""Messages: exact bytes, round trips, and bytes that are none."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge import messages as m

U8, U16 = st.integers(0, 0xFF), st.integers(0, 0xFFFF)
UIDS = st.sampled_from(m.UID_SIZES).flatmap(lambda size: st.binary(min_size=size, max_size=size))
NONCES, FRAMES = st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=m.CARD_FRAME_MAX)
READERS: tuple[Callable[[bytes], object], ...] = (
    m.read_hello,
    m.read_welcome,
    m.read_card,
    m.read_two_cards,
    m.read_transceive,
    m.read_transceived,
    m.read_led,
    m.read_buzzer,
    m.read_display,
    m.read_error,
    m.read_text,
    m.one,
)


def test_exact_bytes() -> None:
    uid = bytes.fromhex("04a1b2c3d4e580")
    assert m.hello(b"abcd").hex() == "61626364" + "01" + "01"
    assert m.welcome(b"abcd", 1, b"boot", 15, 62, "0.1 rp2").hex() == (
        "61626364" + "01" + "626f6f74" + "000f" + "003e" + "302e3120727032"
    )
    assert m.card(uid, 0x20, 12).hex() == "000c" + "20" + "04a1b2c3d4e580"
    assert m.two_cards(uid, b"abcd", 0).hex() == "0000" + "07" + "04a1b2c3d4e580" + "61626364"
    assert m.transceive(7, 250, b"\xe0\x80").hex() == "07" + "00fa" + "e080"
    assert m.transceived(7, m.DONE, b"\x0a").hex() == "07" + "00" + "0a"
    assert m.led(0, 255, 0, 200, 100, 2).hex() == "00ff00" + "00c8" + "0064" + "02"
    assert m.buzzer([(2000, 80), (0, 40)]).hex() == "07d00050" + "00000028"
    assert m.display("12,50 €\nmerci", 1).hex() == "01" + "31322c353020e282ac0a6d65726369"
    assert m.error(m.CHIP_SILENT, "rc522").hex() == "01" + "7263353232"


@settings(max_examples=30, deadline=None)
@given(NONCES, U8, NONCES, U16, U16, st.text(max_size=20))
def test_greetings_come_back(nonce: bytes, spoken: int, boot: bytes, can: int, frame_max: int, about: str) -> None:
    assert m.read_hello(m.hello(nonce)) == (nonce, m.VERSION_MIN, m.VERSION_MAX)
    assert m.read_welcome(m.welcome(nonce, spoken, boot, can, frame_max, about)) == (
        nonce, spoken, boot, can, frame_max, about,
    )  # fmt: skip


@settings(deadline=None)
@given(UIDS, UIDS, U8, U16, U8, FRAMES)
def test_what_is_said_of_cards_comes_back(a: bytes, b: bytes, sak: int, ms: int, number: int, frame: bytes) -> None:
    assert m.read_card(m.card(a, sak, ms)) == (a, sak, ms)
    assert m.read_card(m.card(b"", sak, ms)) == (b"", sak, ms)
    assert m.read_two_cards(m.two_cards(a, b, ms)) == (a, b, ms)
    assert m.read_transceive(m.transceive(number, ms, frame)) == (number, ms, frame)
    assert m.read_transceived(m.transceived(number, m.SILENT, frame)) == (number, m.SILENT, frame)


@settings(deadline=None)
@given(st.tuples(U8, U8, U8, U16, U16, U8), st.lists(st.tuples(U16, U16), max_size=m.TONES_MAX), U8)
def test_light_sound_and_text_come_back(led: tuple[int, ...], tones: list[tuple[int, int]], big: int) -> None:
    assert m.read_led(m.led(*led)) == led
    assert m.read_buzzer(m.buzzer(tones)) == tones
    assert m.read_display(m.display("12,50 €\nà bientôt", big)) == (["12,50 €", "à bientôt"], big)
    assert m.read_error(m.error(big, "no")) == (big, "no")


@settings(deadline=None)
@given(st.text(max_size=400))
def test_a_text_is_cut_between_two_characters(text: str) -> None:
    said = m.error(1, text)
    assert len(said) <= 1 + m.TEXT_MAX
    assert text.startswith(m.read_error(said)[1])
    assert len(text.encode()) > m.TEXT_MAX or m.read_error(said)[1] == text


def test_an_old_age_is_the_oldest_that_can_be_told() -> None:
    assert m.read_card(m.card(b"abcd", 0, 10**9))[2] == 0xFFFF


@pytest.mark.parametrize(
    ("oldest", "newest", "spoken"), [(1, 1, 1), (1, 9, 1), (0, 1, 1), (2, 9, 0), (0, 0, 0), (9, 1, 0)]
)
def test_the_newest_common_version_is_spoken(oldest: int, newest: int, spoken: int) -> None:
    assert m.version(oldest, newest) == spoken


@settings(deadline=None)
@given(st.sampled_from(READERS), st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(read: Callable[[bytes], object], data: bytes) -> None:
    with contextlib.suppress(m.BadMessage):
        read(data)
