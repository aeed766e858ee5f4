"""What can be wrong with a journal; the tree stands in the package's docstring."""

from __future__ import annotations


class JournalError(Exception):
    """The journal can't do what it is there for; the message says why, for the log and the operator."""


class JournalUnsafe(JournalError):
    """What is written here would not survive a power cut, or two agents would write at once."""


class JournalTooNew(JournalError):
    """A newer version of Comptoir wrote this file; its rows must not be touched by an older one."""


class JournalFailed(JournalError):
    """The rows were not written. The light must not turn green."""


class ChainBroken(JournalError):
    """The chain of hashes does not hold at `sequence`."""

    def __init__(self, sequence: int, why: str) -> None:
        super().__init__(f"row {sequence}: {why}")
        self.sequence = sequence


class RowsWaiting(JournalError):
    """`count` rows have not reached the server."""

    def __init__(self, count: int) -> None:
        super().__init__(f"{count} rows have not reached the server yet")
        self.count = count
