"""The board's `main.py`: starts the firmware from one of two folders, so that an update leaves no board without one.

A new version goes into the folder that is not in use, and `slot` into the root with `a b`: b is to be tried. It is
started once; when a till has spoken with it, the firmware writes `b`. Until then the next start takes `a` again,
whether it crashed, hung (the watchdog starts the board anew) or was of no use. This file itself need not change.
"""

import os
import sys

SLOTS = ("a", "b")
# In the root: what is to be run, and that MicroPython is to be left alone for once (RESET, stop).
RECORD, STAY = "slot", "stay"


def chosen(record: str) -> tuple[str, str | None]:
    """The folder to run, and what the record is to be from now on; None: as it is."""
    words = record.split()
    good = words[0] if words and words[0] in SLOTS else SLOTS[0]
    tried = words[1] if len(words) == 2 else ""
    if tried in SLOTS:
        return tried, good + " " + tried + "!"
    return good, good if tried else None


def confirmed(record: str) -> str | None:
    """The record once a till has spoken with what runs; None: it needs no word."""
    words = record.split()
    if len(words) == 2 and words[1][:-1] in SLOTS and words[1].endswith("!"):
        return words[1][:-1]
    return None


def read(file: str) -> str:
    """The file's text; nothing where there is no such file."""
    try:
        with open(file) as opened:
            return opened.read()
    except (OSError, ValueError):
        return ""


def write(file: str, text: str) -> None:
    """Whole or not at all, if the power goes."""
    with open(file + ".new", "w") as opened:
        opened.write(text)
    os.rename(file + ".new", file)


def confirm(root: str) -> None:
    """What runs has proved itself."""
    record = confirmed(read(root + RECORD))
    if record is not None:
        write(root + RECORD, record)


def start(root: str = "/", pause_s: float = 2) -> None:
    """Run the firmware. Comes back only to leave the board to MicroPython; `pause_s` is waited after a failure."""
    import machine  # noqa: PLC0415

    if STAY in os.listdir(root):
        os.remove(root + STAY)
        return
    slot, record = chosen(read(root + RECORD))
    if record is not None:
        write(root + RECORD, record)
    sys.path.insert(0, root + slot)
    try:
        from firmware_bridge.firmware.run import run  # noqa: PLC0415

        run(root, slot)
    except Exception as error:
        # While it waits, Ctrl-C leads to MicroPython, even if both versions are broken.
        import time  # noqa: PLC0415

        sys.print_exception(error)  # type: ignore[attr-defined]
        time.sleep(pause_s)
        machine.reset()


if __name__ == "__main__":
    start()
