"""The field on the wire, and as the real nfcpy sees it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import nfc
import nfc.clf
import nfc.tag
import pytest

from readers.emulator import Ntag213, UdpCardField, UidCard

CARD = Ntag213(bytes.fromhex("04a1b2c3d4e580"), "https://example.test/c/awa")


@pytest.fixture
def field() -> Iterator[UdpCardField]:
    with UdpCardField() as field:
        yield field


@pytest.fixture
def wire(field: UdpCardField) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.connect(("127.0.0.1", field.port))
        wire.settimeout(2)
        yield wire


@pytest.fixture
def frontend(field: UdpCardField) -> Iterator[Any]:
    with nfc.ContactlessFrontend(field.path) as frontend:
        yield frontend


def ask(wire: socket.socket, frame: str) -> str:
    wire.send(f"106A {frame}".encode())
    return wire.recv(1024).decode()


def test_selection_of_a_7_byte_uid_goes_through_two_cascade_levels(field: UdpCardField, wire: socket.socket) -> None:
    field.present(CARD)
    assert ask(wire, "26") == "106A 4400"
    assert ask(wire, "9320") == "106A 8804a1b29f"
    assert ask(wire, "93708804a1b29f") == "106A 04"
    assert ask(wire, "9520") == "106A c3d4e58072"
    assert ask(wire, "9570c3d4e58072") == "106A 00"


def test_a_card_keeps_quiet_when_another_is_selected(field: UdpCardField, wire: socket.socket) -> None:
    field.present(UidCard(bytes.fromhex("deadbeef")))
    wire.send(b"106A 9370cafebabe30")
    assert ask(wire, "9320") == "106A deadbeef22"


@pytest.mark.parametrize("frame", ["26", "9320", "3000"])
def test_an_empty_field_says_so_at_once(wire: socket.socket, frame: str) -> None:
    started = time.monotonic()
    assert ask(wire, frame) == "RFOFF"
    assert time.monotonic() - started < 0.5


def test_a_call_that_waits_is_answered_by_the_card_that_comes(field: UdpCardField, wire: socket.socket) -> None:
    wire.send(b"106A 26")
    field.present(CARD)
    assert wire.recv(64) == b"106A 4400"


def test_looks_at_an_empty_field_are_counted_from_the_last_card_on(field: UdpCardField, wire: socket.socket) -> None:
    ask(wire, "26")
    ask(wire, "26")
    wait_for_looks(field, 2)
    field.present(CARD)
    assert ask(wire, "26") == "106A 4400"
    field.remove()
    ask(wire, "26")
    wait_for_looks(field, 1)


def wait_for_looks(field: UdpCardField, count: int) -> None:
    """The count follows the answer by a moment."""
    deadline = time.monotonic() + 2
    while field.empty_looks != count:
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.mark.parametrize("datagram", [b"", b"106A", b"106A zz", b"\xff\xfe \xff", b"106A 2", b"RFOFF "])
def test_datagrams_that_mean_nothing_are_ignored(field: UdpCardField, wire: socket.socket, datagram: bytes) -> None:
    field.present(CARD)
    wire.send(datagram)
    assert ask(wire, "52") == "106A 4400"


def test_other_technologies_find_nobody(field: UdpCardField, wire: socket.socket) -> None:
    field.present(CARD)
    wire.send(b"212F 0600FFFF0100")
    assert wire.recv(64) == b"RFOFF"


def test_a_fault_drops_or_changes_answers(field: UdpCardField, wire: socket.socket) -> None:
    field.present(CARD)
    field.fault = lambda command, answer: None if command == b"\x60" else b"\xff"
    wire.send(b"106A 60")
    assert ask(wire, "9320") == "106A ff"


def test_only_loopback_is_bound(field: UdpCardField) -> None:
    assert field.path == f"udp:127.0.0.1:{field.port}"
    assert field._socket.getsockname()[0] == "127.0.0.1"


def test_nfcpy_reads_the_holders_page_from_the_chip(field: UdpCardField, frontend: Any) -> None:
    field.present(CARD)
    tag = nfc.tag.activate(frontend, frontend.sense(nfc.clf.RemoteTarget("106A")))
    assert tag.product == "NXP NTAG213"
    assert [record.uri for record in tag.ndef.records] == ["https://example.test/c/awa"]


def test_nfcpy_finds_nobody_in_an_empty_field_without_waiting_its_second(frontend: Any) -> None:
    started = time.monotonic()
    assert frontend.sense(nfc.clf.RemoteTarget("106A")) is None
    assert time.monotonic() - started < 0.5


def test_closing_ends_the_thread_frees_the_port_and_may_be_repeated() -> None:
    before = threading.active_count()
    field = UdpCardField()
    field.present(CARD)
    field.close()
    field.close()
    field.present(CARD)
    assert threading.active_count() == before
    UdpCardField(field.port).close()


def test_a_port_that_is_taken_is_an_error(field: UdpCardField) -> None:
    with pytest.raises(OSError, match="in use"):
        UdpCardField(field.port)
