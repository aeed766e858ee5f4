"""The board's loop, between a till's end of the link and a chip and a panel that are models."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.money.text import Unit, format_amount
from firmware_bridge import messages
from firmware_bridge.firmware.field import Field
from firmware_bridge.firmware.loop import HOLD_MS, Loop
from firmware_bridge.firmware.panel import Panel, lit, plain
from firmware_bridge.firmware.parts import Clock
from firmware_bridge.link import BOARD_SILENT_MS, TILL_SILENT_MS, BoardEnd, TillEnd
from firmware_bridge.simulator import ShownOutputs, SimulatedChip
from readers.emulator import Ntag213, UidCard

UID = bytes.fromhex("04a1b2c3d4e580")
Told = list[tuple[int, bytes]]


class Still(Clock):
    ms = 0

    def now_ms(self) -> int:
        return self.ms


class Desk:
    """A board that a till speaks with, a millisecond at a time."""

    def __init__(self) -> None:
        self.clock, self.chip, self.outputs = Still(), SimulatedChip(0), ShownOutputs()
        self.loop = Loop(BoardEnd(b"boot", (15, 254, "desk")), self.chip, self.outputs, self.clock)
        self.till = TillEnd(b"nonc")
        self.run(5)

    def run(self, ms: int) -> Told:
        told: Told = []
        for _ in range(ms):
            self.clock.ms += 1
            out = self.loop.hear(self.till.outgoing(self.clock.ms)) + self.loop.work()
            told += self.till.receive(out, self.clock.ms)
        return [it for it in told if it[0] != messages.PONG]

    def ask(self, frame: bytes) -> tuple[int, int, bytes]:
        self.till.send(messages.TRANSCEIVE, messages.transceive(1, 10, frame))
        (answer,) = [it for it in self.run(5) if it[0] == messages.TRANSCEIVED]
        return messages.read_transceived(answer[1])


def test_a_card_that_was_seen_is_held_until_the_till_lets_it_go() -> None:
    desk = Desk()
    desk.run(50)
    desk.chip.cards = (Ntag213(UID),)
    assert [kind for kind, _ in desk.run(50)] == [messages.CARD_SEEN]
    assert desk.ask(b"\x60")[1] == messages.DONE
    desk.chip.cards = ()
    assert desk.run(HOLD_MS // 2) == [], "nobody looks while the till may ask"
    desk.till.send(messages.FIELD, bytes([messages.FIELD_LOOK]))
    assert [kind for kind, _ in desk.run(100)] == [messages.CARD_GONE]
    assert desk.ask(b"\x60")[1] == messages.NO_CARD


def test_a_till_that_forgets_to_let_it_go_does_not_hold_it_for_ever() -> None:
    desk = Desk()
    desk.chip.cards = (Ntag213(UID),)
    desk.run(50)
    desk.chip.cards = ()
    assert [kind for kind, _ in desk.run(HOLD_MS + 100)] == [messages.CARD_GONE]


def test_the_field_is_off_without_a_till_and_when_it_says_so() -> None:
    desk = Desk()
    desk.chip.cards = (Ntag213(UID),)
    desk.run(50)
    desk.till.send(messages.FIELD, bytes([messages.FIELD_OFF]))
    desk.chip.found_s = 0
    assert desk.run(HOLD_MS + 100) == []
    assert desk.ask(b"\x60")[1] == messages.NO_CARD
    desk.till.send(messages.FIELD, bytes([messages.FIELD_LOOK]))
    assert [kind for kind, _ in desk.run(50)] == [messages.CARD_SEEN]
    for _ in range(TILL_SILENT_MS + 10):
        desk.clock.ms += 1
        desk.loop.hear(b"")
        desk.loop.work()
    desk.chip.found_s = 0
    desk.loop.work()
    assert desk.chip.found_s == 0, "it does not look"


def test_a_chip_that_fails_is_told_once_and_what_else_was_said_is_done_all_the_same() -> None:
    desk = Desk()
    desk.chip.cards = (Ntag213(UID),)
    desk.run(50)
    desk.chip.failing = True
    desk.till.send(messages.TRANSCEIVE, messages.transceive(1, 10, b"\x60"))
    desk.till.send(messages.LED, messages.led(1, 2, 3))
    told = desk.run(BOARD_SILENT_MS * 3)
    assert [kind for kind, _ in told] == [messages.TRANSCEIVED, messages.ERROR]
    assert messages.read_transceived(told[0][1])[1] == messages.CHIP_FAILED
    assert desk.outputs.led[:3] == (1, 2, 3)
    desk.chip.failing = False
    assert [kind for kind, _ in desk.run(BOARD_SILENT_MS + 100)] == [messages.CARD_SEEN]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(8, 255), st.binary(max_size=20)), max_size=12))
def test_whatever_a_till_says_the_board_goes_on(said: Told) -> None:
    desk = Desk()
    desk.chip.cards = (UidCard(b"abcd"),)
    for kind, payload in said:
        desk.till.send(kind, payload)
        desk.run(4)
        if desk.loop.restart is not None:
            return
    desk.till.send(messages.FIELD, bytes([messages.FIELD_ANEW]))
    assert messages.CARD_SEEN in [kind for kind, _ in desk.run(60)]
    assert desk.till.settled


def test_looks_become_cards_that_come_and_go() -> None:
    a, b = (b"aaaa", 0), (b"bbbb", 0)
    field = Field()
    kinds = [[kind for kind, _ in field.looked(cards, 0)] for cards in ([], [], [], [a], [], [a], [b], [b], [b], [b])]
    seen, gone = messages.CARD_SEEN, messages.CARD_GONE
    assert kinds == [[], [gone], [], [seen], [], [], [], [], [], [gone, seen]]
    assert [[kind for kind, _ in field.looked(cards, 0)] for cards in ([a], [b], [a, b], [], [])] == [
        [],
        [messages.TWO_CARDS],
        [],
        [],
        [gone],
    ]
    phone = Field()
    assert len(phone.looked([(b"\x08abc", 0)], 0)) == 1
    assert phone.looked([(b"\x08xyz", 0)], 0) == []


class Recorded:
    """An output of changing width, or a display that somebody pulls off."""

    def __init__(self) -> None:
        self.duty: list[int] = []
        self.hertz: list[int] = []

    def duty_u16(self, duty: int) -> None:
        self.duty.append(duty)

    def freq(self, hertz: int) -> None:
        self.hertz.append(hertz)

    def show(self, lines: list[str], big: int) -> None:
        raise OSError


def test_light_and_tones_run_by_the_clock() -> None:
    red, green, blue, buzzer = (Recorded() for _ in range(4))
    panel = Panel([red, green, blue], buzzer, None)
    panel.light((255, 0, 1, 100, 50, 2), 1000)
    panel.sound([(2000, 80), (0, 40), (1, 10)], 1000)
    for now_ms in range(1000, 1500):
        panel.tick(now_ms)
    assert red.duty == [65535, 0, 65535, 0]
    assert blue.duty == [257, 0, 257, 0]
    assert buzzer.duty == [32768, 0, 32768, 0]
    assert buzzer.hertz == [2000, 50]
    panel.alone()
    assert buzzer.duty[-1] == 0
    Panel(None, None, Recorded()).alone()


@pytest.mark.parametrize(("at_ms", "on"), [(0, 1), (99, 1), (100, 0), (150, 1), (299, 0), (300, 0)])
def test_a_light_blinks_as_often_as_it_was_told(at_ms: int, on: int) -> None:
    assert lit((1, 1, 1, 100, 50, 2), 1000, 1000 + at_ms) == on
    assert lit((1, 1, 1, 0, 0, 0), 1000, 1000 + at_ms)


def test_texts_are_written_in_the_letters_that_there_are() -> None:
    assert plain("12,50 € à bientôt, François") == "12,50 E a bientot, Francois"
    assert plain("日") == "?"
    assert plain(format_amount(-123450, Unit.CENT, "€")) == "-1 234,50 E"
