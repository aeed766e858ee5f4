"""What lies at the desk is recognised over every kind of reader, and a chip that was asked wrongly is asked anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from firmware_bridge.simulator import SimulatedBoard
from readers.desk.chips import Chip, Recognising, UnknownChip
from readers.drivers import open_driver
from readers.emulator import Card, Desfire, Ntag213, Ntag216, Ntag424, UdpCardField, UltralightAes
from readers.taps import CardGone, CardSeen, CardSilent, Driver

UID = bytes.fromhex("04a1b2c3d4e580")
SIGNED = (bytes.fromhex("04E10CDA993C80"), "8B76052EE42F5567BEB53238B3E3F9950707C0DCC956B5C5EFCFDB709B2D82B3")
PATIENCE_S = 10
LAID_DOWN_MAX = 3


class Desk:
    """A reader, and a hand that lays one card down after the other."""

    def __init__(self, at: UdpCardField | SimulatedBoard, driver: Driver) -> None:
        self.driver = driver
        self._at = at
        self._laid = False

    def lay(self, card: Card) -> None:
        """The card alone in the field, and seen."""
        if self._laid:
            self._at.remove()
            while not isinstance(gone := self.driver.poll(PATIENCE_S), CardGone):
                assert gone is not None, "the card before does not leave"
        self._at.present(card)
        self._laid = True
        seen = self.driver.poll(PATIENCE_S)
        assert isinstance(seen, CardSeen), seen


@contextmanager
def at(field: AbstractContextManager[UdpCardField] | AbstractContextManager[SimulatedBoard]) -> Iterator[Desk]:
    with field as opened:
        driver = open_driver(opened.path)
        try:
            yield Desk(opened, driver)
        finally:
            driver.close()


@pytest.mark.parametrize("reader", [UdpCardField, SimulatedBoard], ids=["nfcpy", "bridge"])
def test_each_chip_is_what_it_says(reader: type[UdpCardField] | type[SimulatedBoard]) -> None:
    cards: list[tuple[Card, str, bool]] = [
        (Ntag213(SIGNED[0], signature=bytes.fromhex(SIGNED[1])), "ntag21x", True),
        (Ntag216(UID, signature=bytes.fromhex(SIGNED[1])), "ntag21x", False),
        (Ntag424(UID), "ntag424", False),
        (UltralightAes(UID), "ultralight_aes", False),
        (Desfire(UID, generation="EV3"), "desfire", False),
    ]
    with at(reader()) as desk:
        for card, kind, genuine in cards:
            found = recognised(desk, card)
            assert (found.kind, found.genuine) == (kind, genuine)
        with pytest.raises(UnknownChip):
            recognised(desk, Desfire(UID, generation="EV1"))


def recognised(desk: Desk, card: Card) -> Chip:
    """As a person does who lays it down again when the desk says so."""
    recognising = Recognising(desk.driver)
    for _ in range(LAID_DOWN_MAX):
        desk.lay(card)
        try:
            return recognising.chip(card.uid)
        except CardSilent as error:
            silent = error
    raise silent


class DeafAfter:
    """A chip that hears nothing more after a question that is not its own, until it is looked for again."""

    def __init__(self, card: Card) -> None:
        self._card, self._deaf = card, False
        self.uid, self.sens_res, self.sel_res = card.uid, card.sens_res, card.sel_res

    def power_on(self) -> None:
        self._deaf = False
        self._card.power_on()

    def process(self, command: bytes) -> bytes | None:
        answer = None if self._deaf else self._card.process(command)
        if answer is None or len(answer) == 1:
            self._deaf, answer = True, None
        return answer


@pytest.mark.parametrize("reader", [UdpCardField, SimulatedBoard], ids=["nfcpy", "bridge"])
def test_a_chip_that_a_wrong_question_makes_deaf_is_found_all_the_same(
    reader: type[UdpCardField] | type[SimulatedBoard],
) -> None:
    with at(reader()) as desk:
        assert recognised(desk, DeafAfter(Ntag213(UID))).kind == "ntag21x"
        assert recognised(desk, DeafAfter(Ntag424(UID))).kind == "ntag424"
