"""What goes onto a board, laid out in a folder, and the commands that bring it there. No board is touched here."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from firmware_bridge.firmware.main import RECORD, SLOTS

KINDS = ("rp2", "esp32")
CHIPS = ("rc522", "pn532-spi", "pn532-i2c")
_PACKAGE = Path(__file__).parent
# The same files as on the till, beside the folder `firmware`.
_SHARED = ("__init__.py", "frames.py", "messages.py", "link.py")


def slot_of(about: str) -> str | None:
    """The folder that the firmware of a board was started from, by its words in WELCOME; None: it is not ours."""
    words = about.split(",", maxsplit=1)[0].split()
    return words[1][-1] if len(words) == 2 and words[0] == "comptoir" and words[1][-1] in SLOTS else None


def other_slot(slot: str) -> str:
    return SLOTS[1 - SLOTS.index(slot)]


def lay_out(folder: Path, chip: str, running: str | None) -> list[Path]:
    """Write the board's files into `folder`, and tell them.

    `running`: the slot that is in use on a board that has this firmware already; an update is only the other slot and
    the word that it is to be tried. Raises FileExistsError for a folder that has something in it.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(folder)
    slot = SLOTS[0] if running is None else other_slot(running)
    written = {f"{slot}/firmware_bridge/{name}": (_PACKAGE / name).read_text() for name in _SHARED}
    for source in sorted((_PACKAGE / "firmware").glob("*.py")):
        written[f"{slot}/firmware_bridge/firmware/{source.name}"] = source.read_text()
    if running is None:
        written["main.py"] = (_PACKAGE / "firmware" / "main.py").read_text()
        written["board.json"] = json.dumps({"chip": chip}) + "\n"
        written[RECORD] = slot
    else:
        written[RECORD] = f"{running} {slot}"
    for name, text in written.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return [Path(name) for name in written]


def steps(kind: str, port: str, folder: Path, running: str | None) -> list[tuple[str, str]]:
    """What to do, in order: a sentence, and a command (or nothing)."""
    device = shlex.quote(port)
    slot = SLOTS[0] if running is None else other_slot(running)
    # Last the word that it is to be run: a copy that breaks off leaves the board as it was.
    single = ("main.py", "board.json", RECORD) if running is None else (RECORD,)
    files = " ".join(shlex.quote(str(folder / name)) for name in single)
    copy = f"mpremote connect {device} cp -r {shlex.quote(str(folder / slot))} : + cp {files} : + reset"
    if running is not None:
        return [
            ("Have the board stop and leave its port to MicroPython:", f"comptoir bridge stop {device}"),
            ("Copy the new version beside the old one, and start the board:", copy),
            ("Meet it once: this confirms the new version. Without it, the next start takes the old one.", ""),
            ("", f"comptoir bridge list --ask {device}"),
        ]
    rp2 = [
        ("Fetch MicroPython for your board (a .uf2) from micropython.org, under Downloads.", ""),
        ("Hold BOOTSEL while you plug the board in, and copy the .uf2 onto the drive that appears.", ""),
    ]
    esp32 = [
        ("Fetch MicroPython for your board (a .bin) from micropython.org, under Downloads.", ""),
        ("Erase the board, which cannot be undone:", f"esptool --port {device} erase-flash"),
        (
            "Write MicroPython. The page of your board names the address: 0x1000 for an ESP32, 0 for S2, S3 and C3.",
            f"esptool --port {device} write-flash 0x1000 ESP32.bin",
        ),
    ]
    return [
        *(rp2 if kind == "rp2" else esp32),
        ("Copy the firmware, and start the board:", copy),
        ("Meet it:", f"comptoir bridge list --ask {device}"),
    ]
