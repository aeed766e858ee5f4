"""`comptoir bridge` before a simulated board."""

from __future__ import annotations

import json
import os
import pty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from firmware_bridge import cli, messages
from firmware_bridge.cli import bridge, in_words
from firmware_bridge.firmware import main
from firmware_bridge.flashing import lay_out, slot_of
from firmware_bridge.host import BoardLost, Session
from firmware_bridge.simulator import SimulatedBoard
from readers.emulator import UidCard


@pytest.fixture
def board() -> Iterator[SimulatedBoard]:
    with SimulatedBoard() as board:
        yield board


def run(*arguments: str) -> Result:
    return CliRunner().invoke(bridge, list(arguments))


def test_list_names_what_the_terminal_is_to_be_told(board: SimulatedBoard) -> None:
    said = run("list", "--ask", board.port).output
    assert "simulated board" in said
    assert f"--reader bridge:{board.port}" in said


def test_without_a_port_list_says_what_may_be_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serial.tools.list_ports.comports", list)
    assert "cable" in run("list").output


def test_monitor_shows_cards_and_does_not_keep_them_from_being_looked_for(
    board: SimulatedBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    board.present(UidCard(b"abcd"))
    told = Session.next
    count = 0

    def until_gone(session: Session, timeout_s: float) -> Any:
        nonlocal count
        count += 1
        if count == 2:
            board.remove()
        if count > 2:
            raise KeyboardInterrupt
        return told(session, 5)

    monkeypatch.setattr(Session, "next", until_gone)
    done = run("monitor", board.port)
    assert "card 61626364, SAK 00" in done.output
    assert "card 61626364 is gone" in done.output
    assert done.exit_code == 0


@pytest.mark.parametrize(
    ("kind", "payload", "words"),
    [
        (messages.CARD_GONE, messages.card(b"", 0, 0), "nothing there"),
        (messages.TWO_CARDS, messages.two_cards(b"abcd", b"abce", 0), "two cards: 61626364 and 61626365"),
        (messages.ERROR, messages.error(1, "no RC522"), "error 1: no RC522"),
        (messages.CARD_SEEN, b"", "message 10: "),
        (0x7F, b"\x01", "message 7F: 01"),
    ],
)
def test_every_message_has_words(kind: int, payload: bytes, words: str) -> None:
    assert in_words(kind, payload) == words


def test_loss_counts_what_a_bad_line_loses_and_all_that_must_arrive_does() -> None:
    with SimulatedBoard(damage=0.02, seed=1) as board:
        found = json.loads(run("loss", board.port, "--pings", "15", "--json").output)
    assert found["pings"] == 15
    assert 0 < found["lost"] < 15
    assert found["damaged"] > 0
    assert found["resent"] > 0
    with SimulatedBoard() as board:
        said = run("loss", board.port, "--pings", "20").output
    assert "0 of 20 pings lost, 0 frames damaged" in said


def test_stop_is_taken_by_the_board(board: SimulatedBoard) -> None:
    done = run("stop", board.port)
    assert (done.exit_code, "leaves its port" in done.output) == (0, True)


@pytest.mark.parametrize(
    ("ended", "code"),
    [(OSError("gone"), 0), (BoardLost("started again"), 0), (BoardLost("silent", silent=True), 1)],
    ids=["its port goes with it", "it is back already", "it says nothing"],
)
def test_a_board_may_be_gone_before_its_answer_to_stop_is_heard(
    board: SimulatedBoard, monkeypatch: pytest.MonkeyPatch, ended: Exception, code: int
) -> None:
    def flush(session: Session, timeout_s: float) -> bool:
        raise ended

    monkeypatch.setattr(Session, "flush", flush)
    assert run("stop", board.port).exit_code == code


def test_what_cannot_be_used_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    done = run("stop", "/dev/no-such-port")
    assert done.exit_code == 1
    assert "/dev/no-such-port cannot be used" in done.output
    one, other = pty.openpty()
    monkeypatch.setattr("firmware_bridge.host.WELCOME_S", 0.05)
    monkeypatch.setattr(Session.open.__func__, "__kwdefaults__", {"within_s": 0.05})
    assert "nobody answers" in run("loss", os.ttyname(other)).output
    for end in (one, other):
        os.close(end)


def test_a_first_time_brings_everything_and_says_each_command(tmp_path: Path) -> None:
    out = tmp_path / "board"
    done = run("flash", "--board", "esp32", "--chip", "pn532-i2c", "--port", "/dev/ttyUSB0", "--out", str(out))
    assert done.exit_code == 0, done.output
    assert json.loads((out / "board.json").read_text()) == {"chip": "pn532-i2c"}
    assert (out / "slot").read_text() == "a"
    assert main.chosen("a") == ("a", None)
    names = {str(path.relative_to(out)) for path in out.rglob("*.py")}
    package = Path(cli.__file__).parent
    wanted = {f"a/firmware_bridge/firmware/{path.name}" for path in (package / "firmware").glob("*.py")}
    assert names == wanted | {"main.py"} | {
        f"a/firmware_bridge/{name}.py" for name in ("__init__", "frames", "messages", "link")
    }
    single = f"{out}/main.py {out}/board.json {out}/slot"
    assert f"mpremote connect /dev/ttyUSB0 cp -r {out}/a : + cp {single} : + reset" in done.output
    assert "esptool --port /dev/ttyUSB0 erase-flash" in done.output
    again = run("flash", "--board", "rp2", "--out", str(out))
    assert again.exit_code == 1
    assert "has something in it" in again.output
    assert "BOOTSEL" in run("flash", "--board", "rp2", "--out", str(tmp_path / "other")).output


def test_an_update_goes_beside_the_version_that_runs(tmp_path: Path) -> None:
    assert slot_of("comptoir 1.0b, rp2, rc522") == "b"
    lay_out(tmp_path / "new", "rc522", "b")
    assert (tmp_path / "new" / "slot").read_text() == "b a"
    out = tmp_path / "update"
    arguments = ("flash", "--board", "rp2", "--update", "--out", str(out), "--port")
    with SimulatedBoard(about="comptoir 1.0a, rp2, rc522") as board:
        said = run(*arguments, board.port).output
        assert f"comptoir bridge stop {board.port}" in said
        assert f"mpremote connect {board.port} cp -r {out}/b : + cp {out}/slot : + reset" in said
    assert (out / "slot").read_text() == "a b"
    assert main.chosen("a b") == ("b", "a b!")
    assert {path.name for path in out.iterdir()} == {"b", "slot"}


def test_an_update_of_what_is_not_ours_is_refused(board: SimulatedBoard, tmp_path: Path) -> None:
    assert slot_of("simulated board") is None
    done = run("flash", "--board", "rp2", "--update", "--port", board.port, "--out", str(tmp_path / "none"))
    assert done.exit_code == 1
    assert "not ours" in done.output
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("record", "slot", "then"),
    [
        ("", "a", None),
        ("a", "a", None),
        ("b\n", "b", None),
        ("a b", "b", "a b!"),
        ("a b!", "a", "a"),
        ("b a", "a", "b a!"),
        ("b a!", "b", "b"),
        ("x y z", "a", None),
        ("a x", "a", "a"),
    ],
)
def test_a_version_is_tried_once(record: str, slot: str, then: str | None) -> None:
    assert main.chosen(record) == (slot, then)


@pytest.mark.parametrize(("record", "then"), [("a b!", "b"), ("b a!", "a"), ("a", None), ("a b", None), ("", None)])
def test_a_version_is_confirmed_once_it_runs(record: str, then: str | None) -> None:
    assert main.confirmed(record) == then
