"""What makes the suite quick on the machine that it runs on, and changes nothing of what a test proves."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")
# Far more than the folders of the tests of one moment hold, and PostgreSQL's beside them.
ROOM_BYTES = 2 * 10**9


def keep_bytecode() -> None:
    """The suite starts a hundred processes. Where none may write bytecode beside the sources, each would compile all
    of them anew: theirs then goes to a folder of this user's own."""
    if not sys.dont_write_bytecode:
        return
    folder = Path(tempfile.gettempdir()) / f"comptoir-bytecode-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    # Whoever could write there could run code here.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        return
    sys.pycache_prefix, sys.dont_write_bytecode = str(folder), False
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def keep_files_in_memory() -> None:
    """A test's folder is gone with the test, and waiting for a disk to hold it costs more than most tests: what a disk
    loses and keeps is modelled where it matters (tests/faults). Where memory has room, the folders are there."""
    if "PYTEST_DEBUG_TEMPROOT" in os.environ or not os.access(MEMORY, os.W_OK):
        return
    room = os.statvfs(MEMORY)
    if room.f_bavail * room.f_frsize > ROOM_BYTES:
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(MEMORY)


def workers() -> int:
    """How many processes `-n auto` starts: half as many again as there are cores, for browsers, readers and servers
    are often waited for."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + (cores + 1) // 2
