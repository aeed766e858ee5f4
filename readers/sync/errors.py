"""What can go wrong between terminal and server; the tree stands in the package's docstring."""

from __future__ import annotations

from app.wire import Problem


class SyncError(Exception):
    """A round of synchronisation did not succeed."""


class Unreachable(SyncError):
    """Nobody answered who can be trusted to be the server. What was asked may have been done or not."""


class Rejected(SyncError):
    """The server's own refusal."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.status} {problem.name}: {problem.title}")
        self.problem = problem


class SnapshotRefused(SyncError):
    """The snapshot is not what our server signed for this device; the one before it stays."""
