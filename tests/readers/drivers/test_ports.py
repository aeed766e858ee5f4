"""From a reader's path to the device file that nfcpy is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from readers.drivers.ports import serial_port


def test_a_link_to_a_port_is_resolved_because_nfcpy_goes_by_the_ports_real_name(tmp_path: Path) -> None:
    port = tmp_path / "ttyS0"
    port.touch()
    (tmp_path / "serial0").symlink_to(port)
    assert serial_port(f"tty:{tmp_path}/serial0:pn532") == (str(port), "pn532")


def test_a_whole_file_name_is_taken_as_it_is() -> None:
    assert serial_port("tty:/dev/pts/999:pn532") == ("/dev/pts/999", "pn532")


@pytest.mark.parametrize(
    "path", ["tty:S0:pn532", "tty:USB0", "usb:054c:06c3", "udp:127.0.0.1:54321", "tty:/dev/x:rc522"]
)
def test_all_other_paths_are_nfcpys_own(path: str) -> None:
    assert serial_port(path) is None
