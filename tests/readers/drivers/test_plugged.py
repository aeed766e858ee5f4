"""What is plugged in and what is in the way, read from files as Linux writes them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from readers.drivers import plugged as module
from readers.drivers.plugged import Plugged, plugged
from readers.emulator import Ntag213, UdpCardField
from readers.looking import readers


def usb(root: Path, name: str, vendor: str, product: str, *, driver: str = "", kind: str = "ff") -> Path:
    """A device, its one interface, and its node."""
    device = root / "sys/bus/usb/devices" / name
    interface = device / f"{name}:1.0"
    interface.mkdir(parents=True)
    for file, text in {
        "idVendor": vendor,
        "idProduct": product,
        "product": "Reader",
        "busnum": "1",
        "devnum": "4",
    }.items():
        (device / file).write_text(f"{text}\n")
    (interface / "bInterfaceClass").write_text(f"{kind}\n")
    if driver:
        (root / "drivers" / driver).mkdir(parents=True)
        (interface / "driver").symlink_to(root / "drivers" / driver)
    node = root / "dev/bus/usb/001/004"
    node.parent.mkdir(parents=True, exist_ok=True)
    node.touch()
    return node


@pytest.fixture(autouse=True)
def no_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.list_ports, "comports", list)


def test_a_reader_that_nothing_holds_is_free(tmp_path: Path) -> None:
    usb(tmp_path, "1-1", "054c", "06c3", driver="usbfs")
    usb(tmp_path, "1-2", "046d", "c31c")
    assert plugged(tmp_path) == [Plugged("usb:054c:06c3", "Reader", True)]


def test_what_is_in_the_way_is_named(tmp_path: Path) -> None:
    node = usb(tmp_path, "1-1", "04cc", "2533", driver="pn533_usb")
    node.unlink()
    (found,) = plugged(tmp_path)
    assert found.blocked == (("kernel", "pn533_usb"), ("rights", str(node)))


def test_the_smart_card_service_is_in_the_way_where_it_runs(tmp_path: Path) -> None:
    usb(tmp_path, "1-1", "072f", "2200", kind="0b")
    assert plugged(tmp_path)[0].blocked == ()
    (tmp_path / "run/pcscd").mkdir(parents=True)
    (tmp_path / "run/pcscd/pcscd.comm").touch()
    assert plugged(tmp_path)[0].blocked == (("pcscd", "pcscd"),)


def test_ports_that_may_have_a_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ports = [
        SimpleNamespace(device="/dev/ttyUSB0", vid=0x1A86, pid=0x7523, description="USB Serial"),
        SimpleNamespace(device="/dev/ttyAMA0", vid=None, pid=None, description="ttyAMA0"),
        SimpleNamespace(device="/dev/ttyS7", vid=None, pid=None, description="n/a"),
    ]
    monkeypatch.setattr(module.list_ports, "comports", lambda: ports)
    monkeypatch.setattr(module.os, "access", lambda *_: True)
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cmdline").write_text("console=serial0,115200 root=/dev/mmcblk0p2\n")
    pins, adapter = plugged(tmp_path)
    assert pins == Plugged("tty:AMA0:pn532", "ttyAMA0", False, (("console", "ttyAMA0"),))
    assert adapter == Plugged("tty:USB0:pn532", "USB Serial", False)


def test_the_command_says_how_to_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    there = [Plugged("usb:04cc:2533", "Reader", True, (("kernel", "pn533_usb"),))]
    monkeypatch.setattr(module, "plugged", lambda: there)
    said = CliRunner().invoke(readers)
    assert said.exit_code == 0
    assert "usb:04cc:2533  Reader" in said.stdout
    assert "sudo modprobe -r pn533_usb" in said.stdout
    there.clear()
    said = CliRunner().invoke(readers)
    assert (said.exit_code, said.stdout) == (1, "")
    assert "No reader is plugged in" in said.stderr


def test_a_reader_is_tried() -> None:
    with UdpCardField() as field:
        field.present(Ntag213(bytes.fromhex("04A1B2C3D4E580")))
        said = CliRunner().invoke(readers, ["--test", field.path])
    assert said.exit_code == 0, said.output
    assert "It reads: 04A1B2C3D4E580" in said.stdout
    said = CliRunner().invoke(readers, ["--test", "tty:NOWHERE:pn532"])
    assert said.exit_code == 1
    assert "no reader" in said.stderr
