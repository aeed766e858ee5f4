"""Readers that are plugged into this machine, and what keeps us from them: read from the system's own files."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import nfc.clf.device
from serial.tools import list_ports

from readers.drivers.pcsc_service import Service
from readers.taps import ReaderFault

# USB serial adapters that hobby boards and PN532 modules come with: CH340, CP210x, FT232, RP2040, ESP32 with USB.
ADAPTERS: Final = ((0x1A86, None), (0x10C4, 0xEA60), (0x0403, 0x6001), (0x2E8A, None), (0x303A, None))
# The Pi's own pins.
PINS: Final = ("ttyAMA0", "ttyS0")
# Readers that other programs reach through PC/SC: pcscd holds them as soon as one asks.
SMART_CARD_CLASS: Final = "0b"

Blocked = Literal["kernel", "pcscd", "rights", "console", "extra"]


@dataclass(frozen=True, slots=True)
class Plugged:
    """A reader, or a port behind which one may be. `path`: as `--reader` takes it. `blocked`: what must be put right
    before it can be used, each with the name of what is in the way."""

    path: str
    name: str
    sure: bool
    blocked: tuple[tuple[Blocked, str], ...] = ()


def plugged(root: Path = Path("/")) -> list[Plugged]:
    """USB readers first, then those of the smart card service. `root`: of the system's files."""
    return [*_usb(root), *_pcsc(root), *_serial(root)]


def _pcsc(root: Path) -> Iterator[Plugged]:
    if not (root / "run/pcscd/pcscd.comm").exists():
        return
    try:
        service = Service()
    except ReaderFault:
        if importlib.util.find_spec("smartcard") is None:
            yield Plugged("pcsc", "the smart card service pcscd", True, (("extra", "pcsc"),))
        return
    try:
        for name in service.readers():
            yield Plugged(f"pcsc:{name}", "through the smart card service", True)
    finally:
        service.close()


def _usb(root: Path) -> Iterator[Plugged]:
    for device in sorted((root / "sys/bus/usb/devices").glob("*")):
        vendor, product = _hex(device / "idVendor"), _hex(device / "idProduct")
        if (vendor, product) not in nfc.clf.device.usb_device_map:
            continue
        path = f"usb:{vendor:04x}:{product:04x}"
        name = " ".join(filter(None, (_text(device / "manufacturer"), _text(device / "product")))) or path
        yield Plugged(path, name, True, tuple(_usb_blocked(root, device)))


def _usb_blocked(root: Path, device: Path) -> Iterator[tuple[Blocked, str]]:
    interfaces = sorted(device.glob(f"{device.name}:*"))
    for interface in interfaces:
        driver = interface / "driver"
        if driver.is_symlink() and (name := driver.resolve().name) != "usbfs":
            yield "kernel", name
    is_smart_card = any(_text(it / "bInterfaceClass") == SMART_CARD_CLASS for it in interfaces)
    if is_smart_card and (root / "run/pcscd/pcscd.comm").exists():
        yield "pcscd", "pcscd"
    bus, number = _text(device / "busnum"), _text(device / "devnum")
    if bus.isdigit() and number.isdigit():
        node = root / f"dev/bus/usb/{int(bus):03d}/{int(number):03d}"
        if not os.access(node, os.R_OK | os.W_OK):
            yield "rights", str(node)


def _serial(root: Path) -> Iterator[Plugged]:
    console = _text(root / "proc/cmdline")
    for port in sorted(list_ports.comports(), key=lambda it: it.device):
        is_adapter = any(port.vid == vendor and product in {None, port.pid} for vendor, product in ADAPTERS)
        name = Path(port.device).name
        if not is_adapter and name not in PINS:
            continue
        blocked: list[tuple[Blocked, str]] = []
        if not os.access(port.device, os.R_OK | os.W_OK):
            blocked.append(("rights", port.device))
        if name in PINS and any(f"console={it}" in console for it in (name, "serial0")):
            blocked.append(("console", name))
        path = f"tty:{name.removeprefix('tty')}:pn532"
        yield Plugged(path, port.description or name, False, tuple(blocked))


def _hex(path: Path) -> int:
    try:
        return int(_text(path), 16)
    except ValueError:
        return -1


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
