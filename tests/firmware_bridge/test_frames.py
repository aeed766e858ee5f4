"""Frames: whatever is put in comes out, whatever else comes in is thrown away, and nothing is held for ever."""

from __future__ import annotations

import binascii
import contextlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.frames import BODY_MAX, BadFrame, Deframer, framed, stuffed, unframed, unstuffed

BODIES = st.binary(min_size=1, max_size=BODY_MAX)


def test_exact_bytes() -> None:
    assert stuffed(bytes.fromhex("1100220033")) == bytes.fromhex("02110222" + "0233")
    assert stuffed(b"\x00") == b"\x01\x01"
    assert stuffed(bytes(range(1, 255))) == b"\xff" + bytes(range(1, 255)) + b"\x01"
    assert binascii.crc32(b"123456789") == 0xCBF43926
    # The example of PROTOCOL.md.
    assert framed(bytes.fromhex("101234010000002004a1b2c3d4e580")).hex() == (
        "00" + "05101234" + "01" + "01" + "01" + "0d2004a1b2c3d4e580" + "ddbf2848" + "00"
    )


@settings(deadline=None)
@given(st.binary(max_size=1200))
def test_stuffed_bytes_hold_no_zero_and_come_out_again(data: bytes) -> None:
    assert 0 not in stuffed(data)
    assert unstuffed(stuffed(data)) == data
    assert len(stuffed(data)) <= len(data) + len(data) // 254 + 1


@settings(deadline=None)
@given(st.lists(BODIES, max_size=6), st.integers(1, 50))
def test_frames_come_out_whole_and_in_order_however_they_are_cut(bodies: list[bytes], piece: int) -> None:
    line, deframer = b"".join(framed(body) for body in bodies), Deframer()
    assert [body for at in range(0, len(line), piece) for body in deframer.feed(line[at : at + piece])] == bodies
    assert deframer.damaged == 0


def test_a_body_that_is_too_long_is_not_framed() -> None:
    assert unframed(framed(b"\x01" * BODY_MAX)[1:-1]) == b"\x01" * BODY_MAX
    with pytest.raises(ValueError, match="too long"):
        framed(bytes(BODY_MAX + 1))


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_a_frame_or_bad_and_nothing_else(data: bytes) -> None:
    with contextlib.suppress(BadFrame):
        assert framed(unframed(data)).strip(b"\x00")


@settings(deadline=None)
@given(st.binary(max_size=4000), BODIES)
def test_after_any_bytes_the_next_frame_is_read(noise: bytes, body: bytes) -> None:
    deframer = Deframer()
    deframer.feed(noise)
    assert deframer.feed(framed(body))[-1:] == [body]


def test_an_endless_frame_is_not_kept() -> None:
    deframer = Deframer()
    for _ in range(1000):
        assert deframer.feed(b"\x01" * 1000) == []
    assert len(deframer._held) < 300
    assert deframer.feed(b"\x00" + framed(b"x")) == [b"x"]
    assert deframer.damaged == 1


@settings(deadline=None)
@given(BODIES, st.integers(0, 10_000), st.integers(1, 255))
def test_a_frame_with_one_damaged_byte_is_never_taken_for_another(body: bytes, at: int, turned: int) -> None:
    frame = bytearray(framed(body))
    frame[at % len(frame)] ^= turned
    assert all(found == body for found in Deframer().feed(bytes(frame) + b"\x00"))


def test_what_passes_of_damaged_frames_is_what_chance_lets_pass() -> None:
    """What PROTOCOL.md reckons with: of bodies that came damaged, one in 2 to the n has n bits of the CRC right."""
    dice, damaged, passed = random.Random(7), 0, 0
    while damaged < 8_000:
        body = dice.randbytes(15)
        frame = bytearray(framed(body)[1:-1])
        for at in range(len(frame)):
            if dice.random() < 0.05:
                frame[at] = dice.randrange(1, 256)
        try:
            data = unstuffed(bytes(frame))
        except BadFrame:
            continue
        if len(data) < 5 or data[:-4] == body:
            continue
        damaged += 1
        passed += not (binascii.crc32(data[:-4]) ^ int.from_bytes(data[-4:])) & 0xFF
        assert binascii.crc32(data[:-4]) != int.from_bytes(data[-4:])
    assert damaged / 256 * 0.6 < passed < damaged / 256 * 1.5
