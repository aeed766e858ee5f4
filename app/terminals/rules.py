"""What about a terminal needs somebody, the most pressing first. Plain figures in, names of troubles out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

from app.wire import DeviceKind, TerminalStatus

# A terminal tells of itself every half minute; ten minutes without a word are no hiccup.
SILENT_S = 600
# terminal.md, "Journal": beyond this a clock is called wrong.
SKEW_MS_MAX = 5 * 60 * 1000
# With a network, rows are delivered within seconds.
UNSENT_S_MAX = 15 * 60
# terminal.md, "Deciding offline": the terminal itself warns at this age.
SNAPSHOT_S_MAX = 3600
# A night's journal is some 20 MB; below the second figure SQLite may soon be unable to write.
DISK_LOW_MB, DISK_FULL_MB = 500, 100
WEAR_PERCENT = 80
MEMORY_LOW_MB = 64
# A Raspberry Pi slows itself down from 80 degrees on.
HOT_C = 80


class Level(IntEnum):
    """How much a terminal needs somebody; higher is more pressing."""

    FINE = 0
    NOTE = 1
    SOON = 2
    NOW = 3


Kind = Literal[
    "quarantined", "behind", "late_rows", "read_only", "volatile", "journal_failed", "disk_full", "reader_lost",
    "silent_waiting", "silent", "never_told", "unsent", "clock", "disk_errors", "worn", "disk_low", "snapshot_old",
    "power_now", "hot", "memory_low", "power_before", "other_version", "revoked_waiting",
    "fork_seen",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trouble:
    """`value` goes with the kind: a number of rows, minutes, megabytes, degrees or per cent."""

    kind: Kind
    level: Level
    value: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """A terminal as the server sees it. `status`: what it told last, `silent_s` ago by our clock (None: never).

    `late`: rows kept for a review; `version`: the server's own. `fork_seen`: from this row on, another terminal of its
    site was shown two branches of its journal. `kind`: a hub has no reader, and keeps nothing that could be lost.
    """

    standing: Literal["active", "quarantined", "revoked"]
    waiting: int
    skew_ms: int
    silent_s: int
    status: TerminalStatus | None
    version: str
    late: int = 0
    fork_seen: int | None = None
    kind: DeviceKind = "till"


@dataclass(frozen=True, slots=True)
class Judged:
    """`may_sell`: as far as we know; `troubles`: the most pressing first."""

    may_sell: bool
    troubles: tuple[Trouble, ...] = field(default=())

    @property
    def level(self) -> Level:
        return max((it.level for it in self.troubles), default=Level.FINE)


def judge(seen: Seen) -> Judged:
    """What to do about a terminal, if anything."""
    found = list(_standing(seen))
    if seen.standing != "revoked":
        found += _line(seen)
        if seen.status is not None:
            # What a machine told before it fell silent is told with it, except what has passed for sure since.
            found += _machine(seen, seen.status)
    troubles = sorted(found, key=lambda it: -it.level)
    stops = {"quarantined", "behind", "read_only", "disk_full", "journal_failed", "reader_lost"}
    may_sell = seen.standing == "active" and seen.kind == "till"
    return Judged(may_sell and not stops & {it.kind for it in troubles}, tuple(troubles))


def _standing(seen: Seen) -> Iterator[Trouble]:
    if seen.standing == "quarantined":
        yield Trouble("quarantined", Level.NOW, seen.late)
    elif seen.late:
        yield Trouble("late_rows", Level.NOW, seen.late)
    if seen.standing == "active" and seen.fork_seen is not None:
        yield Trouble("fork_seen", Level.NOW, seen.fork_seen)
    if seen.standing == "revoked" and seen.waiting and not seen.late:
        yield Trouble("revoked_waiting", Level.NOTE, seen.waiting)
    if seen.status and seen.status.halted == "behind" and seen.standing == "active":
        yield Trouble("behind", Level.NOW)


def _line(seen: Seen) -> Iterator[Trouble]:
    if seen.silent_s > SILENT_S:
        if seen.waiting:
            yield Trouble("silent_waiting", Level.NOW, seen.waiting)
        else:
            yield Trouble("silent", Level.SOON)
        return
    if abs(seen.skew_ms) > SKEW_MS_MAX:
        yield Trouble("clock", Level.SOON, abs(seen.skew_ms) // 60_000)
    if seen.status is None:
        yield Trouble("never_told", Level.NOTE)


def _machine(seen: Seen, it: TerminalStatus) -> Iterator[Trouble]:
    yield from _storage(it, keeps=seen.kind == "till")
    if seen.silent_s > SILENT_S:
        return
    if it.reader == "lost":
        yield Trouble("reader_lost", Level.NOW)
    if (it.oldest_waiting_s or 0) > UNSENT_S_MAX and seen.standing == "active":
        yield Trouble("unsent", Level.NOW, it.waiting)
    if it.snapshot_age_s is None or it.snapshot_age_s > SNAPSHOT_S_MAX:
        yield Trouble("snapshot_old", Level.SOON, (it.snapshot_age_s or 0) // 60)
    if it.power == "low_now":
        yield Trouble("power_now", Level.SOON)
    elif it.power == "low_before":
        yield Trouble("power_before", Level.NOTE)
    if it.temperature_c is not None and it.temperature_c >= HOT_C:
        yield Trouble("hot", Level.SOON, it.temperature_c)
    if it.memory_free_mb is not None and it.memory_free_mb < MEMORY_LOW_MB:
        yield Trouble("memory_low", Level.SOON, it.memory_free_mb)
    if it.version != seen.version:
        yield Trouble("other_version", Level.NOTE)


def _storage(it: TerminalStatus, *, keeps: bool) -> Iterator[Trouble]:
    # A hub passes rows on from its memory, whatever its card does; only its next start needs what is on the card.
    stops = Level.NOW if keeps else Level.SOON
    if it.read_only:
        yield Trouble("read_only", stops)
    elif it.disk_free_mb is not None and it.disk_free_mb < DISK_FULL_MB:
        yield Trouble("disk_full", stops, it.disk_free_mb)
    elif it.journal_failed:
        yield Trouble("journal_failed", Level.NOW)
    elif it.disk_free_mb is not None and it.disk_free_mb < DISK_LOW_MB:
        yield Trouble("disk_low", Level.SOON, it.disk_free_mb)
    if it.volatile and keeps:
        yield Trouble("volatile", Level.NOW)
    if it.disk_errors:
        yield Trouble("disk_errors", Level.SOON, it.disk_errors)
    if it.card_wear_percent is not None and it.card_wear_percent >= WEAR_PERCENT:
        yield Trouble("worn", Level.SOON, it.card_wear_percent)
