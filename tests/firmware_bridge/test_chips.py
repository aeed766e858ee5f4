"""The firmware's drivers before the registers and frames of RC522 and PN532, on SPI and I2C, under CPython."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules.chips.keyring import CardKey
from firmware_bridge import messages
from firmware_bridge.firmware import iso14443
from firmware_bridge.firmware.parts import Bus, Chip, ChipFailed, Clock, TwoWire
from firmware_bridge.firmware.pn532 import I2cLine, Pn532, SpiLine
from firmware_bridge.firmware.rc522 import Rc522
from readers.cardauth.proving import prove
from readers.emulator import Card, Desfire, Ntag213, Ntag424, Torn, UidCard, UltralightAes
from readers.emulator.pn532_wires import Pn532OnI2c, Pn532OnSpi
from readers.emulator.rc522 import Rc522OnSpi
from readers.taps import CardSilent

KEY, OTHER = bytes(range(16)), bytes(16)
UID, APPLICATION = bytes.fromhex("04a1b2c3d4e580"), bytes.fromhex("c0ffee")
NTAG = Ntag213(UID)
TOGETHER = ("04a1b2c3", "04a1b2c4", "05a1b2c3", "04a1b2c3d4e580", "04a1b2c3d4e581")
SINGLE = st.binary(min_size=4, max_size=4)


class Stepping(Clock):
    """A clock that goes on by itself, so that nobody waits in a test."""

    def __init__(self) -> None:
        self.ms = 0

    def now_ms(self) -> int:
        self.ms += 1
        return self.ms

    def sleep_ms(self, ms: int) -> None:
        self.ms += ms


class Wire(Bus):
    def __init__(self, model: Rc522OnSpi | Pn532OnSpi) -> None:
        self.transfer = model.transfer  # type: ignore[method-assign]


class Wires(TwoWire):
    def __init__(self, model: Pn532OnI2c) -> None:
        self.write, self.read = model.write, model.read  # type: ignore[method-assign]


@dataclass
class Bench:
    """A driver and the model of its chip."""

    chip: Chip
    line: Any
    model: Rc522OnSpi | Pn532OnSpi | Pn532OnI2c

    def exchange(self, frame: bytes) -> bytes:
        status, answer = self.chip.transceive(frame, 250)
        if status != messages.DONE:
            raise CardSilent(str(status))
        return answer


def bench_with(kind: str) -> Bench:
    if kind == "rc522":
        rc522 = Rc522OnSpi()
        line: Any = Wire(rc522)
        return Bench(Rc522(line, Stepping()), line, rc522)
    if kind == "pn532 spi":
        spi = Pn532OnSpi()
        line = Wire(spi)
        return Bench(Pn532(SpiLine(line), Stepping()), line, spi)
    i2c = Pn532OnI2c()
    line = Wires(i2c)
    return Bench(Pn532(I2cLine(line), Stepping()), line, i2c)


@pytest.fixture(params=["rc522", "pn532 spi", "pn532 i2c"])
def bench(request: pytest.FixtureRequest) -> Bench:
    bench = bench_with(request.param)
    bench.chip.start()
    return bench


def test_cards_of_all_sizes_are_found_and_gone_again(bench: Bench) -> None:
    assert bench.chip.look() == []
    for uid in (bytes(range(1, 5)), bytes(range(1, 8)), bytes(range(1, 11)), UID):
        bench.model.present(UidCard(uid))
        for _ in range(3):
            assert bench.chip.look() == [(uid, 0)]
        bench.model.remove()
        assert bench.chip.look() == []


def test_a_new_card_is_found_after_one_was_selected(bench: Bench) -> None:
    bench.model.present(NTAG)
    assert bench.chip.look() == [(UID, 0)]
    bench.model.present(UidCard(b"abcd"))
    assert bench.chip.look() == [(b"abcd", 0)]
    bench.chip.rest()
    assert bench.chip.look() == [(b"abcd", 0)]


@pytest.mark.parametrize(
    ("card", "key"),
    [
        (Ntag424(UID, (OTHER, KEY, OTHER, OTHER, OTHER)), CardKey("ntag424", KEY, 1)),
        (UltralightAes(UID, (KEY, OTHER)), CardKey("ultralight_aes", KEY)),
        (Desfire(UID, APPLICATION, (KEY,)), CardKey("desfire", KEY, 0, APPLICATION)),
    ],
    ids=["ntag424", "ultralight_aes", "desfire"],
)
def test_chips_prove_themselves(bench: Bench, card: Card, key: CardKey) -> None:
    bench.model.present(card)
    assert bench.chip.look() == [(UID, card.sel_res[0])]
    prove(key, bench.exchange)


def test_the_four_bits_of_a_type_2_tag_come_as_one_byte(bench: Bench) -> None:
    bench.model.present(Ntag213(UID))
    bench.chip.look()
    assert bench.exchange(b"\xa2\x04abcd") == b"\x0a"
    assert bench.exchange(b"\xa2\x00abcd") == b"\x00"
    assert bench.exchange(b"\x30\x04")[:4] == b"abcd"


def test_a_card_that_leaves_is_silent_and_without_a_card_there_is_none(bench: Bench) -> None:
    assert bench.chip.transceive(b"\x60", 10) == (messages.NO_CARD, b"")
    torn = Torn(NTAG, 1)
    bench.model.present(torn)
    bench.chip.look()
    assert bench.chip.transceive(b"\x60", 10)[0] == messages.DONE
    assert bench.chip.transceive(b"\x60", 10) == (messages.SILENT, b"")
    assert bench.chip.look() == []
    assert bench.chip.transceive(b"\x60", 10) == (messages.NO_CARD, b"")


@pytest.mark.parametrize("uids", list(combinations(TOGETHER, 2)))
def test_two_cards_are_both_told_and_neither_is_selected(bench: Bench, uids: tuple[str, str]) -> None:
    one, other = (UidCard(bytes.fromhex(uid)) for uid in uids)
    bench.model.present(one, other)
    for _ in range(2):
        assert {uid for uid, _ in bench.chip.look()} == {one.uid, other.uid}
    bench.model.present(one)
    assert bench.chip.look() == [(one.uid, 0)]


@settings(max_examples=40, deadline=None)
@given(st.tuples(SINGLE, SINGLE).filter(lambda it: it[0] != it[1]))
def test_any_two_single_uids_are_told_apart_by_the_rc522(uids: tuple[bytes, bytes]) -> None:
    bench = bench_with("rc522")
    bench.chip.start()
    one, other = (UidCard(b"\x04" + uid[1:]) if uid[0] == 0x88 else UidCard(uid) for uid in uids)
    bench.model.present(one, other)
    assert {uid for uid, _ in bench.chip.look()} == {one.uid, other.uid}


def test_a_chip_that_is_not_there_or_dies_is_told_and_comes_back(bench: Bench) -> None:
    bench.model.present(NTAG)
    bench.chip.look()
    bench.model.dead = True
    with pytest.raises(ChipFailed):
        bench.chip.look()
    with pytest.raises(ChipFailed):
        bench.chip.start()
    bench.chip.rest()
    bench.model.dead = False
    bench.chip.start()
    assert bench.chip.look() == [(UID, 0)]


def test_the_rc522_tells_what_was_damaged_in_the_air_and_what_is_too_long() -> None:
    bench = bench_with("rc522")
    bench.chip.start()
    model = bench.model
    assert isinstance(model, Rc522OnSpi)
    model.present(NTAG)
    bench.chip.look()
    model.damage_next = True
    assert bench.chip.transceive(b"\x60", 10) == (messages.GARBLED, b"")
    assert bench.chip.transceive(b"\x3a\x00\x20", 10) == (messages.TOO_LONG, b"")
    model.damage_next = True
    assert bench.chip.look() in ([], [(UID, 0)])
    assert bench.chip.look() == [(UID, 0)]


def test_the_rc522_has_both_sides_keep_to_frames_that_it_can_hold() -> None:
    bench = bench_with("rc522")
    bench.chip.start()
    bench.model.present(Ntag424(UID, (OTHER,) * 5))
    bench.chip.look()
    assert bench.exchange(b"\xe0\x80") == bytes.fromhex("0575008802"), "FSCI 8 became 5"
    assert iso14443.lowered_rats(b"\xe0\x81", 5) == b"\xe0\x51"
    assert iso14443.lowered_rats(b"\xe0\x20", 5) == b"\xe0\x20"
    assert iso14443.lowered_ats(b"\x01", 5) == b"\x01"
    assert iso14443.lowered_ats(b"\x02\x72", 5) == b"\x02\x72"


def test_crc_a_is_that_of_the_standard() -> None:
    # ISO/IEC 14443-3, annex B.
    assert iso14443.crc_a(b"\x00\x00") == b"\xa0\x1e"
    assert iso14443.crc_a(b"\x12\x34") == b"\x26\xcf"
    assert iso14443.without_crc(b"\x12\x34\x26\xcf") == b"\x12\x34"
    assert iso14443.without_crc(b"\x12\x35\x26\xcf") is None


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(["rc522", "pn532 spi", "pn532 i2c"]), st.lists(st.binary(min_size=1, max_size=64), max_size=40))
def test_a_chip_that_says_anything_at_all_is_no_card_or_fails(kind: str, says: list[bytes]) -> None:
    bench = bench_with(kind)
    bench.chip.start()
    saying = list(says)

    def babble(*asked: object) -> bytes:
        size = asked[-1] if isinstance(asked[-1], int) else len(asked[-1])  # type: ignore[arg-type]
        said = saying.pop(0) if saying else b"\x00"
        return (said * size)[:size]

    def heard(address: int, data: bytes) -> None:
        pass

    line = bench.line
    line.transfer = line.read = babble
    line.write = heard
    began = time.monotonic()
    for act in (bench.chip.look, lambda: bench.chip.transceive(b"\x60", 5), bench.chip.rest, bench.chip.look):
        with contextlib.suppress(ChipFailed):
            act()
    assert time.monotonic() - began < 1
