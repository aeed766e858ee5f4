"""The real pcscd and pyscard, before Debian's virtual reader with our models of chips on it."""

from __future__ import annotations

import importlib.util
import os
import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from queue import Queue

import pytest
from click.testing import CliRunner

from app.rules.chips.allowance import Carried, Owed
from app.rules.chips.keyring import TILL_KEY, CardKey
from readers.cardauth import allowance, ntag424
from readers.cardauth.encoding import write_ntag424
from readers.cardauth.isodep import IsoDep
from readers.desk.chips import Recognising
from readers.drivers import open_driver
from readers.emulator import Card, Desfire, Ntag213, Ntag424, UidCard, UltralightAes
from readers.looking import readers
from readers.taps import (
    CardGone,
    CardSeen,
    CardSilent,
    Driver,
    Presence,
    Reader,
    ReaderEvent,
    ReaderFault,
    ReaderFound,
    ReaderLost,
    UnusableCard,
)
from tests.support.desk_reader import NAME, DeskReader, desk_reader, missing

WHY = missing() or (None if importlib.util.find_spec("smartcard") else "the extra pcsc is not installed")
pytestmark = pytest.mark.skipif(WHY is not None and not os.environ.get("CI"), reason=WHY or "")

UID = bytes.fromhex("04a1b2c3d4e580")
KEY, OTHER = bytes(range(16)), bytes(16)
APPLICATION = bytes.fromhex("c0ffee")
LONG_S = 8.0
# Who it is, our application, and the two halves of a proof.
PROOF_COMMANDS = 4

CHIPS: dict[str, tuple[Callable[[], Card], CardKey]] = {
    "ntag424": (lambda: Ntag424(UID, (OTHER, OTHER, KEY, OTHER, OTHER)), CardKey("ntag424", KEY, 2)),
    "desfire": (lambda: Desfire(UID, APPLICATION, (OTHER, KEY)), CardKey("desfire", KEY, 1, APPLICATION)),
    "ultralight": (lambda: UltralightAes(UID, (KEY, OTHER)), CardKey("ultralight_aes", KEY)),
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskReader]:
    with desk_reader(tmp_path_factory.mktemp("pcscd")) as reader:
        yield reader


@pytest.fixture
def keys() -> dict[bytes, CardKey]:
    return {}


@pytest.fixture
def driver(desk: DeskReader, keys: dict[bytes, CardKey]) -> Iterator[Driver]:
    opened = open_driver("pcsc:acr122", keys=keys)
    yield opened
    opened.close()
    desk.take()
    desk.fault = None


def the_next(driver: Driver) -> ReaderEvent:
    event = driver.poll(LONG_S)
    assert event is not None
    return event


@pytest.mark.parametrize("chip", CHIPS)
def test_a_card_that_holds_its_key_is_seen_at_level_a(
    chip: str, desk: DeskReader, driver: Driver, keys: dict[bytes, CardKey]
) -> None:
    make, keys[UID] = CHIPS[chip]
    desk.lay(make())
    seen = the_next(driver)
    assert isinstance(seen, CardSeen)
    assert (seen.uid, seen.assurance) == (UID, "A")


@pytest.mark.parametrize("chip", CHIPS)
def test_a_copy_is_no_means_of_payment(chip: str, desk: DeskReader, driver: Driver, keys: dict[bytes, CardKey]) -> None:
    make, key = CHIPS[chip]
    keys[UID] = CardKey(key.chip, OTHER[:-1] + b"\x01", key.key_no, key.application)
    desk.lay(make())
    seen = the_next(driver)
    assert isinstance(seen, UnusableCard)
    assert seen.reason == "not_proven"


def test_a_card_that_lies_there_carries_what_it_pays_and_left_does_not(
    desk: DeskReader, keys: dict[bytes, CardKey]
) -> None:
    keys[UID] = CardKey("ntag424", KEY, 1)
    presence, state = Presence(), Carried((Owed(b"bar", 1, 7, b"RA", 450),))
    driver = open_driver("pcsc:acr122", presence, keys)

    def carried() -> Future[Carried | None]:
        return presence.errands.ask(UID, lambda exchange: allowance.carry(keys[UID], exchange, lambda _: state))

    try:
        desk.lay(Ntag424(UID, (KEY,) * 5))
        assert isinstance(the_next(driver), CardSeen)
        done = carried()
        assert driver.poll(0.1) is None
        with pytest.raises(allowance.CarriesNothing):
            done.result(0)
        transceive = IsoDep(driver.exchange).transceive
        allowance.set_up(ntag424.authenticate(transceive, 0, KEY), 1)
        allowance.begin(ntag424.authenticate(transceive, 1, KEY), KEY)
        for _ in range(2):
            done = carried()
            assert driver.poll(0.1) is None
            assert done.result(0) == state
        desk.take()
        assert isinstance(the_next(driver), CardGone)
        done = carried()
        assert driver.poll(0.1) is None
        with pytest.raises(CardSilent):
            done.result(0)
    finally:
        driver.close()


@pytest.mark.parametrize("uid", ["04a1b2c3", "04a1b2c3d4e582a1b2c3"])
def test_a_card_without_a_key_is_seen_once_and_goes(uid: str, desk: DeskReader, driver: Driver) -> None:
    desk.lay(UidCard(bytes.fromhex(uid)))
    seen = the_next(driver)
    assert isinstance(seen, CardSeen)
    assert (seen.uid.hex(), seen.assurance) == (uid, "C")
    assert driver.poll(0.4) is None
    desk.take()
    assert isinstance(the_next(driver), CardGone)


def test_a_phone_is_no_means_of_payment(desk: DeskReader, driver: Driver) -> None:
    desk.lay(UidCard(bytes.fromhex("08010203")))
    seen = the_next(driver)
    assert isinstance(seen, UnusableCard)
    assert seen.reason == "random_uid"


def test_another_card_at_once_is_another_card(desk: DeskReader, driver: Driver) -> None:
    desk.lay(UidCard(UID))
    assert isinstance(the_next(driver), CardSeen)
    desk.take()
    desk.lay(Ntag213(UID[:-1] + b"\x99"))
    gone, seen = the_next(driver), the_next(driver)
    assert isinstance(gone, CardGone)
    assert isinstance(seen, CardSeen)
    assert (gone.uid, seen.uid) == (UID, UID[:-1] + b"\x99")


def test_a_card_that_leaves_in_its_proof_is_asked_again_when_it_is_back(
    desk: DeskReader, driver: Driver, keys: dict[bytes, CardKey]
) -> None:
    make, keys[UID] = CHIPS["ntag424"]
    for count in range(1, PROOF_COMMANDS + 1):
        _cut_at(desk, count)
        desk.lay(make())
        until = time.monotonic() + LONG_S
        while not desk.is_over():
            assert driver.poll(0.05) is None, count
            assert time.monotonic() < until
        desk.take()
        desk.fault = None
        desk.lay(make())
        seen = the_next(driver)
        assert isinstance(seen, CardSeen), count
        assert seen.assurance == "A"
        desk.take()
        assert isinstance(the_next(driver), CardGone)


def test_damaged_answers_are_no_card_and_no_crash(desk: DeskReader, driver: Driver, keys: dict[bytes, CardKey]) -> None:
    make, keys[UID] = CHIPS["ntag424"]
    dice = random.Random(7)

    def damaged(command: bytes, answer: bytes) -> bytes:
        return answer if command[:2] == b"\xff\xca" else dice.randbytes(dice.choice([1, 2, 3, 18, 60]))

    desk.fault = damaged
    for _ in range(3):
        desk.lay(make())
        event = driver.poll(1.0)
        assert event is None or isinstance(event, UnusableCard)
        desk.take()
        while not isinstance(event, CardGone | type(None)):
            event = driver.poll(1.0)


def test_a_desk_writes_keys_through_it(desk: DeskReader, driver: Driver, keys: dict[bytes, CardKey]) -> None:
    blank = Ntag424(UID, (OTHER,) * 5)
    after = [bytes([number]) * 16 for number in range(1, 6)]
    desk.lay(blank)
    assert isinstance(the_next(driver), CardSeen)
    write_ntag424(IsoDep(driver.exchange).transceive, [OTHER] * 5, after, 1, "https://example.org/c/t?e={e}&c={c}")
    desk.take()
    assert isinstance(the_next(driver), CardGone)
    keys[UID] = CardKey("ntag424", after[TILL_KEY["ntag424"]], TILL_KEY["ntag424"])
    desk.lay(blank)
    seen = the_next(driver)
    assert isinstance(seen, CardSeen)
    assert seen.assurance == "A"


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda: Ntag424(UID, (OTHER,) * 5), "ntag424"),
        (lambda: UltralightAes(UID, (OTHER, OTHER)), "ultralight_aes"),
        (lambda: Ntag213(UID), "ntag21x"),
    ],
)
def test_a_desk_knows_at_once_which_chip_lies_there(
    make: Callable[[], Card], kind: str, desk: DeskReader, driver: Driver
) -> None:
    desk.lay(make())
    assert isinstance(the_next(driver), CardSeen)
    assert Recognising(driver).chip(UID).kind == kind


def test_what_is_asked_of_no_card_is_silence(driver: Driver) -> None:
    with pytest.raises(CardSilent):
        driver.exchange(b"\x30\x00")


def test_a_card_that_another_program_holds_is_told_so(desk: DeskReader) -> None:
    first, second = open_driver("pcsc"), open_driver("pcsc")
    try:
        desk.lay(UidCard(UID))
        assert isinstance(the_next(first), CardSeen)
        lost = the_next(second)
        assert isinstance(lost, ReaderLost)
        assert lost.reason == "busy"
    finally:
        first.close()
        second.close()
        desk.take()


def test_it_is_listed_among_the_readers_and_can_be_tried(desk: DeskReader) -> None:
    shown = CliRunner().invoke(readers)
    assert shown.exit_code == 0
    assert f"pcsc:{NAME}" in shown.output
    desk.lay(UidCard(UID))
    tried = CliRunner().invoke(readers, ["--test", f"pcsc:{NAME}"])
    desk.take()
    assert tried.exit_code == 0, tried.output
    assert UID.hex().upper() in tried.output


def test_a_reader_that_is_not_there_is_told_so(desk: DeskReader) -> None:
    with pytest.raises(ReaderFault) as told:
        open_driver("pcsc:omnikey")
    assert told.value.reason == "no_device"
    desk.stop_service()
    with pytest.raises(ReaderFault, match="pcscd does not run") as told:
        open_driver("pcsc")
    assert told.value.reason == "no_device"
    desk.start_service()


def test_a_service_that_dies_and_comes_back_needs_no_restart(desk: DeskReader) -> None:
    events: Queue[ReaderEvent] = Queue()

    def opened(presence: Presence) -> Driver:
        return open_driver("pcsc", presence)

    with Reader(opened, events.put, backoff_min_s=0.05):
        found = events.get(timeout=LONG_S)
        assert isinstance(found, ReaderFound)
        assert NAME in found.name
        desk.lay(UidCard(UID))
        assert isinstance(events.get(timeout=LONG_S), CardSeen)
        desk.stop_service()
        told = [events.get(timeout=LONG_S)]
        while not isinstance(told[-1], ReaderLost):
            told.append(events.get(timeout=LONG_S))
        desk.start_service()
        while not isinstance(events.get(timeout=LONG_S), ReaderFound):
            pass
        desk.lay(UidCard(UID))
        until = time.monotonic() + LONG_S
        while not isinstance(event := events.get(timeout=LONG_S), CardSeen):
            assert time.monotonic() < until
        assert event.uid == UID
        desk.take()


def _cut_at(desk: DeskReader, count: int) -> None:
    """From its command of this number on, the card is gone."""
    left = count

    def cut(command: bytes, answer: bytes) -> bytes:
        nonlocal left
        left -= 1
        if left <= 0:
            raise OSError("taken away")
        return answer

    desk.fault = cut
