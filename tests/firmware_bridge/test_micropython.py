"""The firmware as it is, under a real MicroPython (its unix port), before models of the chips.

Its main.py is started as on a board: the serial port is a pseudo-terminal, and what it does to `machine` comes here.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import threading
import tty
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

import firmware_bridge
from app.rules.chips.keyring import CardKey
from firmware_bridge import messages
from firmware_bridge.frames import Deframer, framed
from firmware_bridge.host import Session
from firmware_bridge.link import BoardEnd, TillEnd
from readers.drivers import open_driver
from readers.emulator import Card, Ntag213, Ntag424
from readers.emulator.pn532_wires import Pn532OnI2c, Pn532OnSpi
from readers.emulator.rc522 import Rc522OnSpi
from readers.taps import CardGone, CardSeen, CardSilent, ReaderLost

# The extra `dev` brings it wherever there is a wheel of it; where there should be one and is not, these tests fail.
HAS_WHEEL = sys.platform == "linux" and platform.machine() == "x86_64"
pytestmark = pytest.mark.skipif(not HAS_WHEEL, reason="no MicroPython for this platform among Python's wheels")

HERE, PACKAGE = Path(__file__).parent / "board", Path(firmware_bridge.__file__).parent
MICROPYTHON = [sys.executable, "-c", "import sys, micropython_unix; sys.exit(micropython_unix.main())"]
KEY, OTHER, UID = bytes(range(16)), bytes(16), bytes.fromhex("04a1b2c3d4e580")
LONG_S = 10
DISPLAY, RESET, LOADER = 0x3C, 3, 4


class Desk:
    """A board on a desk. `port` is its serial port; `pins` what its outputs have been at, `display` what it shows."""

    def __init__(self, folder: Path, chip: str = "rc522") -> None:
        self.root = folder / "root"
        self.model: Rc522OnSpi | Pn532OnSpi | Pn532OnI2c
        self.model = Rc522OnSpi() if chip == "rc522" else Pn532OnSpi() if chip == "pn532-spi" else Pn532OnI2c()
        self.pins: dict[int, list[int]] = {}
        self.display = b""
        (self.root / "a").mkdir(parents=True)
        (self.root / "a" / "firmware_bridge").symlink_to(PACKAGE)
        shutil.copy(PACKAGE / "firmware" / "main.py", self.root)
        (self.root / "board.json").write_text(json.dumps({"chip": chip}))
        self._pipes = [folder / "asked", folder / "answered"]
        for pipe in self._pipes:
            os.mkfifo(pipe)
        self._board, self._port = os.openpty()
        tty.setraw(self._port)
        self.port = os.ttyname(self._port)
        self.log = folder / "log"

    def start(self) -> None:
        """Power on."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*MICROPYTHON, HERE / "desk.py", f"{self.root}/", *self._pipes],
                stdin=self._board,
                stdout=self._board,
                stderr=log,
                cwd=self.root,
            )
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def ended(self) -> int:
        """Wait for the board to stop: why."""
        code = self.process.wait(LONG_S)
        self._thread.join(LONG_S)
        return code

    def close(self) -> None:
        self.process.kill()
        self.ended()
        os.close(self._board)
        os.close(self._port)

    def _serve(self) -> None:
        with self._pipes[0].open("rb") as asked, self._pipes[1].open("wb", buffering=0) as answered:
            while head := asked.read(4):
                data = asked.read(head[2] << 8 | head[3])
                with contextlib.suppress(BrokenPipeError):
                    try:
                        answer = self._asked(head[:1], head[1], data)
                        answered.write(b"\x00" + len(answer).to_bytes(2) + answer)
                    except OSError:
                        answered.write(b"\x01\x00\x00")

    def _asked(self, kind: bytes, address: int, data: bytes) -> bytes:
        model = self.model
        if kind == b"S" and not isinstance(model, Pn532OnI2c):
            return model.transfer(data)
        if kind == b"D":
            self.pins.setdefault(address, []).append(int.from_bytes(data))
        elif kind == b"W" and address == DISPLAY:
            self.display = data
        elif kind in b"WR":
            if not isinstance(model, Pn532OnI2c):
                raise OSError("nothing is there")
            if kind == b"R":
                return model.read(address, int.from_bytes(data))
            model.write(address, data)
        return b""


@pytest.fixture
def desk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    desk = Desk(tmp_path, getattr(request, "param", "rc522"))
    try:
        yield desk
    finally:
        desk.close()


def until(holds: Callable[[], object]) -> None:
    waiting = threading.Event()
    for _ in range(LONG_S * 100):
        if holds():
            return
        waiting.wait(0.01)
    raise AssertionError("it did not come to that")


def test_micropython_is_there() -> None:
    assert find_spec("micropython_unix") is not None, "pip install -c requirements.lock -e '.[dev]'"


@pytest.mark.parametrize("desk", ["rc522", "pn532-spi", "pn532-i2c"], indirect=True)
def test_a_card_is_seen_asked_and_proven_through_the_firmware(desk: Desk) -> None:
    card: Card = Ntag424(UID, (OTHER, KEY, OTHER, OTHER, OTHER))
    desk.start()
    driver = open_driver(f"bridge:{desk.port}", None, {UID: CardKey("ntag424", KEY, 1)})
    assert "comptoir 1.0a, linux, " + desk.model.__class__.__name__[:5].lower() in driver.name
    desk.model.present(card)
    seen = driver.poll(LONG_S)
    assert isinstance(seen, CardSeen)
    assert (seen.uid, seen.assurance) == (UID, "A")
    desk.model.remove()
    assert isinstance(driver.poll(LONG_S), CardGone)
    desk.model.present(Ntag213(b"\x04" + bytes(6)))
    assert isinstance(driver.poll(LONG_S), CardSeen)
    assert driver.exchange(b"\x60") == bytes.fromhex("0004040201000f03")
    desk.model.remove()
    with pytest.raises(CardSilent):
        driver.exchange(b"\x60")
    desk.model.dead = True
    while not isinstance(event := driver.poll(LONG_S), ReaderLost):
        pass
    assert event.reason == "silent"
    driver.close()


def test_light_sound_and_text_reach_pins_and_display_and_a_till_that_leaves_turns_them_off(desk: Desk) -> None:
    desk.start()
    session = Session.open(desk.port)
    assert session.board.can == 15
    session.send(messages.LED, messages.led(0, 255, 0))
    session.send(messages.BUZZER, messages.buzzer([(2000, 20)]))
    session.send(messages.DISPLAY, messages.display("12,50 €\nmerci", 1))
    assert session.flush(LONG_S)
    until(lambda: desk.pins.get(15, [])[-2:] == [32768, 0])
    until(lambda: desk.pins.get(11, [])[-1:] == [65535])
    until(lambda: len(desk.display) == 1025 and desk.display[1:15] != bytes(14))
    points = [[desk.display[1 + y // 8 * 128 + x] >> y % 8 & 1 for x in range(128)] for y in range(64)]
    assert points[0][0:16:2] == points[1][1:16:2], "each point of a big letter is four"
    assert any(map(any, points[18:26]))
    assert not any(map(any, points[26:]))
    session.close()
    until(lambda: desk.pins[11][-1:] == [0])


def test_a_board_is_restarted_stopped_and_left_to_its_loader_when_it_is_told_so(desk: Desk) -> None:
    for how, code in ((messages.RESTART, RESET), (messages.LOADER, LOADER), (messages.STOP, RESET)):
        desk.start()
        session = Session.open(desk.port)
        session.send(messages.RESET, bytes([how]))
        assert desk.ended() == code
        session.close()
    assert (desk.root / "stay").exists()
    desk.start()
    assert desk.ended() == 0, "MicroPython is left alone"
    assert not (desk.root / "stay").exists()
    desk.start()
    Session.open(desk.port).close()


def test_a_new_version_is_kept_once_a_till_has_spoken_with_it(desk: Desk) -> None:
    (desk.root / "b").mkdir()
    (desk.root / "b" / "firmware_bridge").symlink_to(PACKAGE)
    (desk.root / "slot").write_text("a b")
    desk.start()
    Session.open(desk.port).close()
    until(lambda: (desk.root / "slot").read_text() == "b")


@pytest.mark.parametrize("broken", ["import machine; machine.reset()", "this is no Python"])
def test_a_new_version_that_does_not_work_gives_way_to_the_old_one(desk: Desk, broken: str) -> None:
    (desk.root / "b" / "firmware_bridge").mkdir(parents=True)
    (desk.root / "b" / "firmware_bridge" / "__init__.py").write_text(broken)
    (desk.root / "slot").write_text("a b\n")
    desk.start()
    assert desk.ended() == RESET
    assert (desk.root / "slot").read_text() == "a b!"
    desk.start()
    Session.open(desk.port).close()
    assert (desk.root / "slot").read_text() == "a"


def test_a_chip_that_is_not_there_and_a_board_file_that_is_wrong_are_told(desk: Desk) -> None:
    desk.model.dead = True
    wrong = {"{}": "no RC522 answers", "{": "board.json is no JSON", '{"chip": "x"}': "no such chip: x"}
    for settings, words in wrong.items():
        (desk.root / "board.json").write_text(settings)
        desk.start()
        session = Session.open(desk.port)
        told = session.next(LONG_S)
        assert told is not None
        code, said = messages.read_error(told[1])
        assert code == messages.CHIP_SILENT
        assert words in said
        session.send(messages.RESET, bytes([messages.RESTART]))
        assert desk.ended() == RESET
        session.close()


def test_a_fault_in_the_firmware_is_told_to_the_till_before_the_board_starts_again(desk: Desk) -> None:
    (desk.root / "a" / "firmware_bridge").unlink()
    shutil.copytree(PACKAGE, desk.root / "a" / "firmware_bridge", ignore=shutil.ignore_patterns("__pycache__"))
    loop = desk.root / "a" / "firmware_bridge" / "firmware" / "loop.py"
    loop.write_text(loop.read_text() + "\nLoop._set_field = lambda *_: 1 // 0\n")
    desk.start()
    driver = open_driver(f"bridge:{desk.port}")
    desk.model.present(Ntag213(UID))
    assert isinstance(driver.poll(LONG_S), CardSeen)
    lost = driver.poll(LONG_S)
    assert isinstance(lost, ReaderLost)
    assert "ZeroDivisionError" in lost.detail
    driver.close()
    assert desk.ended() == RESET


def test_micropython_writes_and_reads_the_same_bytes(tmp_path: Path) -> None:
    dice = random.Random(7)
    bodies = [dice.randbytes(dice.randrange(1, 266)).replace(b"\x07", b"\x00") for _ in range(60)] + [bytes(265)]
    deframer = Deframer()
    noise = [dice.randbytes(dice.randrange(400)) + framed(body) for body in bodies]
    board, till, told = BoardEnd(b"boot", (1, 62, "été")), TillEnd(b"nonc"), list[int]()
    for now_ms in range(1, 200):
        if now_ms % 10 == 5:
            board.send(messages.CARD_SEEN, bytes([now_ms]))
        said = board.outgoing(now_ms)
        told += [payload[0] for _, payload in till.receive(b"" if now_ms % 7 == 0 else said, now_ms)]
        board.receive(till.outgoing(now_ms), now_ms)
    assert len(told) > 10
    given = {
        "frames": [(body.hex(), framed(body).hex()) for body in bodies],
        "noise": [(piece.hex(), [body.hex() for body in deframer.feed(piece)]) for piece in noise],
        "cards": [_read(messages.read_card, dice.randbytes(dice.choice([2, 3, 6, 7, 8, 10, 13]))) for _ in range(60)],
        "texts": [_read(messages.read_display, dice.randbytes(dice.randrange(5))) for _ in range(60)],
        "told": told,
    }
    (tmp_path / "given.json").write_text(json.dumps({**given, "damaged": deframer.damaged}))
    run = [*MICROPYTHON, HERE / "vectors.py", tmp_path / "given.json", PACKAGE.parent]
    done = subprocess.run(run, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.stdout, done.returncode) == ("as expected\n", 0), done.stderr


def _read(read: Callable[[bytes], tuple[object, ...]], data: bytes) -> tuple[str, list[object] | None]:
    try:
        return data.hex(), [it.hex() if isinstance(it, bytes) else it for it in read(data)]
    except messages.BadMessage:
        return data.hex(), None
