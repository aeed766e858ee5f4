"""Which rows of terminals' journals the balances contain, for all terminals at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ledger.service import booked_among, operations_since, recent_operations
from app.platform.clock import now_us
from app.sales import booking
from app.sales.tables import intake
from app.terminals.rows import ASKED_KINDS, UNDONE_KINDS
from app.terminals.tables import journal_mark

# What was booked online and whose row is still under way is at most as old as a terminal can be offline and still sell.
UNDER_WAY_US = 48 * 3600 * 1_000_000

_KINDS = (booking.KIND, *ASKED_KINDS, *UNDONE_KINDS)


@dataclass(frozen=True, slots=True)
class Applied:
    """Every row up to the sequence `through`, and the events `beyond` it."""

    through: int
    beyond: tuple[UUID, ...]


class Marks:
    """One per process. It remembers which operations' rows have not come in yet, and reads only newer operations.

    The mark of a journal moves after the ledger does, so rows that are kept above it may be booked already; and what
    was booked online may not have come in as a row yet.
    """

    def __init__(self) -> None:
        self._seq = -1
        # By operation: its terminal, and when we learned of it.
        self._under_way: dict[UUID, tuple[UUID, int]] = {}

    async def read(self, connection: AsyncConnection, fleet: Sequence[Any]) -> Mapping[UUID, Applied]:
        """By terminal, for its present epoch. `fleet`: rows of terminals."""
        now = now_us()
        epochs = {it.id: it.epoch for it in fleet}
        await self._learn(connection, fleet, now)
        marks: dict[tuple[UUID, int], int] = {
            (row.terminal, row.epoch): row.applied for row in await connection.execute(sa.select(journal_mark))
        }
        await self._settle(connection, marks)
        beyond: dict[UUID, set[UUID]] = {device: set() for device in epochs}
        for event, (device, _) in self._under_way.items():
            if device in beyond:
                beyond[device].add(event)
        waiting = await self._waiting(connection)
        booked = await booked_among(connection, [event for _, _, event in waiting])
        for device, epoch, event in waiting:
            if event in booked and epochs.get(device) == epoch:
                beyond[device].add(event)
        return {
            device: Applied(marks.get((device, epoch), 0), tuple(sorted(beyond[device])))
            for device, epoch in epochs.items()
        }

    async def _learn(self, connection: AsyncConnection, fleet: Sequence[Any], now: int) -> None:
        newest, found = await operations_since(connection, self._seq, _KINDS)
        if self._seq < 0:
            found = [
                (it.id, event)
                for it in fleet
                for kind in _KINDS
                for event in await recent_operations(connection, it.id, kind, now - UNDER_WAY_US)
            ]
        self._seq = newest
        self._under_way.update({event: (device, now) for device, event in found})

    async def _settle(self, connection: AsyncConnection, marks: Mapping[tuple[UUID, int], int]) -> None:
        """Forget what a row at or below its journal's mark stands for: marks never go back."""
        events, too_old = list(self._under_way), now_us() - UNDER_WAY_US
        for start in range(0, len(events), 1000):
            rows = await connection.execute(
                sa.select(intake.c.device, intake.c.epoch, intake.c.sequence, intake.c.event).where(
                    intake.c.event.in_(events[start : start + 1000])
                )
            )
            for row in rows:
                if row.sequence <= marks.get((row.device, row.epoch), 0):
                    self._under_way.pop(row.event, None)
        for event in [event for event, (_, at_us) in self._under_way.items() if at_us < too_old]:
            del self._under_way[event]

    async def _waiting(self, connection: AsyncConnection) -> list[tuple[UUID, int, UUID]]:
        """(device, epoch, event) of rows that are kept above their journal's mark."""
        rows = await connection.execute(
            sa.select(intake.c.device, intake.c.epoch, intake.c.event)
            .join_from(
                journal_mark,
                intake,
                sa.and_(
                    intake.c.device == journal_mark.c.terminal,
                    intake.c.epoch == journal_mark.c.epoch,
                    intake.c.sequence > journal_mark.c.applied,
                ),
            )
            .where(intake.c.event.is_not(None))
        )
        return [(row.device, row.epoch, row.event) for row in rows]
