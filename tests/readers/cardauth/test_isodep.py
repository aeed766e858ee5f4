"""The block protocol against a card that answers by a script, and against one that loses frames."""

from __future__ import annotations

import random

import pytest

from readers.cardauth import Malformed
from readers.cardauth.isodep import IsoDep
from readers.taps import CardSilent
from tests.readers.cardauth.scripted import Script, saying

# 32-byte frames: 29 bytes of a command in each.
ATS = ("E080", "06727781" + "0280")


def card(*pairs: tuple[str, str]) -> tuple[IsoDep, Script]:
    script = Script(ATS, *pairs)
    return IsoDep(script), script


def test_blocks_are_numbered_in_turn() -> None:
    isodep, script = card(("0201", "029000"), ("0302", "039100"), ("0203", "029000"))
    assert [isodep.transceive(bytes([each])).hex() for each in (1, 2, 3)] == ["9000", "9100", "9000"]
    assert script.done


def test_a_long_command_is_sent_in_parts_and_a_long_answer_put_together() -> None:
    command = bytes(range(40))
    first, second = command[:29].hex(), command[29:].hex()
    isodep, script = card(("12" + first, "A2"), ("03" + second, "13AABB"), ("A2", "02CC9000"))
    assert isodep.transceive(command).hex() == "aabbcc9000"
    assert script.done


def test_a_card_that_needs_time_gets_it() -> None:
    isodep, script = card(("0201", "F2C5"), ("F205", "F201"), ("F201", "029000"))
    assert isodep.transceive(b"\x01").hex() == "9000"
    assert script.done


def test_a_card_that_always_needs_more_time_is_given_up() -> None:
    answers = saying([bytes.fromhex(ATS[1]), *[b"\xf2\x01"] * 100])
    with pytest.raises(Malformed, match="more time"):
        IsoDep(answers).transceive(b"\x01")


def test_an_answer_without_end_is_given_up() -> None:
    big = [bytes([0x12 | (turn & 1)]) + bytes(200) for turn in range(100)]
    with pytest.raises(Malformed, match="no end"):
        IsoDep(saying([bytes.fromhex(ATS[1]), *big])).transceive(b"\x01")


@pytest.mark.parametrize("ats", ["", "0772778102 80", "00", "06727781028099"])
def test_an_ats_of_another_length_than_it_says_is_refused(ats: str) -> None:
    with pytest.raises(Malformed, match="ATS"):
        IsoDep(saying([bytes.fromhex(ats)]))


def test_a_card_that_left_is_asked_twice_more_and_then_silent() -> None:
    asked = []

    def exchange(frame: bytes) -> bytes:
        asked.append(frame.hex())
        if frame == b"\xe0\x80":
            return bytes.fromhex(ATS[1])
        raise CardSilent("gone")

    with pytest.raises(CardSilent):
        IsoDep(exchange).transceive(b"\x01")
    assert asked == ["e080", "0201", "b2", "b2"]


class LossyCard:
    """Counts what it was told, and answers with the sum so far; one frame in five is lost on the way."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._number = 1
        self._last = b""
        self._whole = b""
        self.total = 0

    def __call__(self, frame: bytes) -> bytes:
        if frame == b"\xe0\x80":
            return bytes.fromhex(ATS[1])
        if self._dice.random() < 0.1:
            raise CardSilent("lost on the way to the card")
        answer = self._answer(frame)
        if self._dice.random() < 0.1:
            raise CardSilent("lost on the way from the card")
        return answer

    def _answer(self, frame: bytes) -> bytes:
        # The card's rules of ISO/IEC 14443-4, 7.5.4: a repeated number is answered by what was said last.
        if frame[0] & 0xF6 == 0xB2:
            return self._last if frame[0] & 1 == self._number else bytes([0xA2 | self._number])
        self._number ^= 1
        self._whole += frame[1:]
        if frame[0] & 0x10:
            self._last = bytes([0xA2 | self._number])
        else:
            self.total += sum(self._whole)
            self._whole = b""
            self._last = bytes([0x02 | self._number]) + self.total.to_bytes(4)
        return self._last


def test_on_a_lossy_way_no_command_is_lost_or_done_twice() -> None:
    dice = random.Random(7)
    whole = 0
    for _ in range(60):
        lossy = LossyCard(dice)
        isodep, said = IsoDep(lossy), 0
        try:
            for _ in range(5):
                said += 70 * 3
                assert int.from_bytes(isodep.transceive(b"\x03" * 70)) == said == lossy.total
            whole += 1
        except CardSilent:
            assert lossy.total in (said, said - 70 * 3)
    assert whole > 30
