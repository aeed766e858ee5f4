"""What an operating system says when a reader cannot be opened, as a code for screens and a sentence for the log."""

from __future__ import annotations

import errno

from readers.taps import ReaderFault, Trouble

_WORDS: dict[int, tuple[Trouble, str]] = {
    errno.ENODEV: ("no_device", "no reader found"),
    errno.ENOENT: ("no_device", "no reader found"),
    errno.ENXIO: ("no_device", "no reader found"),
    errno.EACCES: ("no_permission", "this user may not open the reader"),
    errno.EPERM: ("no_permission", "this user may not open the reader"),
    errno.EBUSY: ("busy", "the reader is in use by another program"),
    errno.EIO: ("silent", "the reader does not answer properly"),
    errno.ETIMEDOUT: ("silent", "the reader does not answer"),
}


def cannot_open(path: str, error: OSError) -> ReaderFault:
    """Why the reader at `path` is not open."""
    reason, sentence = _WORDS.get(error.errno or 0, ("fault", "the reader cannot be opened"))
    return ReaderFault(reason, f"{sentence} at {path}: {error}")
