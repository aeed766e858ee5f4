"""Which printer, and how a slip becomes its commands. python-escpos is only imported where a printer is used: it brings
an image library along, and a terminal without printer has better uses for that memory.

    usb:04b8:0e15               vendor and product, as `lsusb` shows them
    tcp:192.168.1.50[:9100]     a printer on the network
    serial:/dev/ttyUSB0[:9600]  a serial line and its speed
    file:/dev/usb/lp0           a device file, or any file
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from readers.terminal.slip import Row, Slip

COLUMNS = 42
ANSWER_S = 5
TCP_PORT = 9100
SERIAL_BAUD = 9600

_USB = re.compile(r"usb:([0-9a-fA-F]{4}):([0-9a-fA-F]{4})")
_TCP = re.compile(r"tcp:([^:\s]+)(?::([0-9]{1,5}))?")
_SERIAL = re.compile(r"serial:(/[^:\s]+)(?::([0-9]{3,7}))?")
_FILE = re.compile(r"file:(/.+)")
# Signs that tills use and receipt printers lack.
_PLAIN = str.maketrans(
    {"\N{NARROW NO-BREAK SPACE}": " ", "\N{NO-BREAK SPACE}": " ", "’": "'", "−": "-", "ᵒ": "°", "…": "...", "×": "x"}
)


class PrinterPathWrong(ValueError):
    """The printer's path is none of the four kinds."""


def check_path(path: str) -> str:
    """The path, if it is one. PrinterPathWrong, with what one looks like."""
    if not any(kind.fullmatch(path) for kind in (_USB, _TCP, _SERIAL, _FILE)):
        raise PrinterPathWrong(
            f"{path!r} is no printer: give usb:VENDOR:PRODUCT, tcp:HOST[:PORT], serial:/dev/...[:BAUD] or file:/dev/..."
        )
    return path


def open_printer(path: str) -> Any:
    """A python-escpos printer, not yet spoken to. PrinterPathWrong."""
    from escpos import printer  # noqa: PLC0415

    if found := _USB.fullmatch(path):
        return printer.Usb(int(found[1], 16), int(found[2], 16), timeout=ANSWER_S * 1000)
    if found := _TCP.fullmatch(path):
        return printer.Network(found[1], port=int(found[2] or TCP_PORT), timeout=ANSWER_S)
    if found := _SERIAL.fullmatch(path):
        return printer.Serial(found[1], baudrate=int(found[2] or SERIAL_BAUD), timeout=ANSWER_S)
    if found := _FILE.fullmatch(path):
        return printer.File(found[1])
    raise PrinterPathWrong(path)


def tells_paper(path: str) -> bool:
    """Whether this kind of connection can be asked if there is paper: what is only written to can't."""
    return not path.startswith("file:")


def put(printer: Any, slip: Slip) -> None:
    """The slip's commands: text in the printer's own letters, the address as its own QR code, and the cut. Tickets
    come after it, each cut off: they are shared out."""
    for row in slip.rows:
        _row(printer, row)
    if slip.link:
        printer.set(align="center")
        printer.qr(slip.link, native=True, size=5)
        printer.set(align="left")
    printer.cut()
    for it in slip.tickets:
        _row(printer, slip.head[0])
        _row(printer, Row("bold", it.name))
        printer.set(align="center")
        printer.qr(it.code, native=True, size=6)
        printer.set(align="left")
        printer.cut()


def _row(printer: Any, row: Row) -> None:
    if row.style == "rule":
        printer.textln("-" * COLUMNS)
        return
    title = row.style == "title"
    printer.set(
        align="center" if title else "left", bold=row.style != "plain", double_height=title, normal_textsize=not title
    )
    for line in _fitted(plain(row.left), plain(row.right)):
        printer.textln(line)


def _fitted(left: str, right: str) -> list[str]:
    """Both on one line with room between them; a long left side takes lines of its own before."""
    if not right:
        return [left[at : at + COLUMNS] for at in range(0, max(1, len(left)), COLUMNS)]
    room = COLUMNS - len(right) - 1
    rows = [left[at : at + room] for at in range(0, max(1, len(left)), room)]
    return [*rows[:-1], rows[-1].ljust(room) + " " + right]


def plain(text: str) -> str:
    """Text in signs that a receipt printer has: letters with accents stay, what it can't draw becomes a plain one."""
    text = unicodedata.normalize("NFC", text.translate(_PLAIN))
    return "".join(it if (it.isprintable() and ord(it) < 0x2000) or it in "€œŒ" else "?" for it in text)
