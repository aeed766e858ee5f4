"""The printer's thread and what comes out of it, byte for byte, without a printer."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from escpos.printer import Dummy

from readers.printer import Printer, PrinterPathWrong, check_path
from readers.printer.device import COLUMNS, plain, put, tells_paper
from readers.terminal.slip import Row, Slip

SLIP = Slip(
    head=(Row("title", "Raffinerie"), Row("plain", "jeudi 26 novembre 2026, 23 h 12")),
    lines=(Row("plain", "2 x Bière", "7,00\N{NO-BREAK SPACE}€"),),
    foot=(Row("bold", "Total", "7,00\N{NO-BREAK SPACE}€"),),
    link="https://comptoir.example/r/abc",
)
PATIENCE_S = 10


@pytest.fixture
def dummy() -> Any:
    return Dummy()


def test_the_bytes_of_a_slip(dummy: Any) -> None:
    put(dummy, SLIP)
    out: bytes = dummy.output
    assert b"Raffinerie" in out
    assert b"-" * COLUMNS in out
    # Bold on for the total, off for what is plain.
    assert b"\x1bE\x01" in out
    assert b"\x1bE\x00" in out
    # The e with grave accent of code page 437, after the page is chosen.
    assert b"\x1bt\x00" in out
    assert b"Bi\x8are" in out
    # The address as the printer's own QR code (GS ( k, function 180 stores, 181 prints), then the cut (GS V).
    assert b"1P0https://comptoir.example/r/abc" in out
    assert out.index(b"1P0https") < out.index(b"\x1d(k\x03\x001Q0") < out.rindex(b"\x1dV")


def test_the_amount_stands_at_the_right_edge_and_a_long_name_takes_lines_of_its_own(dummy: Any) -> None:
    put(dummy, Slip((), (Row("plain", "x" * 60, "7,00"),), (), ""))
    text = [line for line in dummy.output.decode("latin-1").splitlines() if "x" in line or "7,00" in line]
    assert text[0].endswith("\0" + "x" * 37)
    assert text[1] == "x" * 23 + " " * 15 + "7,00"
    assert len(text[1]) == COLUMNS


def test_what_a_printer_can_t_draw_becomes_something_it_can() -> None:
    assert (
        plain("Crème brûlée – l’œuf, 3\N{NARROW NO-BREAK SPACE}000 €, nᵒ 7, 😀")
        == "Crème brûlée ? l'œuf, 3 000 €, n° 7, ?"
    )


@pytest.mark.parametrize(
    "path",
    ["usb:04b8:0e15", "tcp:192.168.1.50", "tcp:printer.local:9100", "serial:/dev/ttyUSB0:19200", "file:/dev/usb/lp0"],
)
def test_the_four_kinds_of_printers(path: str) -> None:
    assert check_path(path) == path
    assert tells_paper(path) is not path.startswith("file:")


@pytest.mark.parametrize("path", ["", "lp0", "usb:1", "tcp:", "serial:ttyUSB0", "file:receipt"])
def test_another_path_is_refused_at_start(path: str) -> None:
    with pytest.raises(PrinterPathWrong, match="tcp:HOST"):
        check_path(path)


class Fake:
    """A printer that can be asked for paper."""

    def __init__(self, dummy: Any, paper: int | Exception = 2) -> None:
        self.dummy, self.paper, self.closed = dummy, paper, 0

    def open(self) -> None:
        pass

    def close(self) -> None:
        self.closed += 1

    def paper_status(self) -> int:
        if isinstance(self.paper, Exception):
            raise self.paper
        return self.paper

    def __getattr__(self, name: str) -> Any:
        return getattr(self.dummy, name)


@pytest.fixture
def told() -> queue.Queue[str]:
    return queue.Queue()


@pytest.fixture
def started() -> Iterator[list[Printer]]:
    printers: list[Printer] = []
    yield printers
    for printer in printers:
        printer.stop()


def states(told: queue.Queue[str], count: int) -> list[str]:
    return [told.get(timeout=PATIENCE_S) for _ in range(count)]


def test_a_slip_goes_to_a_file(tmp_path: Path, told: queue.Queue[str], started: list[Printer]) -> None:
    out = tmp_path / "lp0"
    printer = Printer(f"file:{out}", told.put)
    started.append(printer)
    printer.start()
    assert printer.print(SLIP)
    assert states(told, 2) == ["busy", "ok"]
    assert b"Raffinerie" in out.read_bytes()


def test_no_paper_is_said_and_nothing_is_printed(dummy: Any, told: queue.Queue[str], started: list[Printer]) -> None:
    fake = Fake(dummy, paper=0)
    printer = Printer("tcp:printer", told.put, lambda _: fake)
    started.append(printer)
    printer.start()
    printer.print(SLIP)
    assert states(told, 2) == ["busy", "no_paper"]
    assert dummy.output == b""
    assert fake.closed == 1
    # The dropped slip does not come out by itself; the next one is printed once there is paper.
    fake.paper = 2
    printer.print(SLIP)
    assert states(told, 2) == ["busy", "ok"]
    assert dummy.output.count(b"Raffinerie") == 1


def test_a_printer_that_does_not_tell_its_paper_prints_all_the_same(
    dummy: Any, told: queue.Queue[str], started: list[Printer]
) -> None:
    printer = Printer("tcp:printer", told.put, lambda _: Fake(dummy, paper=TimeoutError("no answer")))
    started.append(printer)
    printer.start()
    printer.print(SLIP)
    assert states(told, 2) == ["busy", "ok"]


def test_an_absent_printer_is_said_and_found_again(
    tmp_path: Path, told: queue.Queue[str], started: list[Printer]
) -> None:
    folder = tmp_path / "usb"
    printer = Printer(f"file:{folder}/lp0", told.put)
    started.append(printer)
    printer.start()
    printer.print(SLIP)
    assert states(told, 2) == ["busy", "absent"]
    folder.mkdir()
    printer.print(SLIP)
    assert states(told, 2) == ["busy", "ok"]


def test_too_many_slips_are_refused_and_not_waited_for(told: queue.Queue[str]) -> None:
    # Never started: as a printer that hangs in its first slip.
    printer = Printer("tcp:printer", told.put)
    taken = [printer.print(SLIP) for _ in range(12)]
    assert taken == [True] * 10 + [False] * 2
