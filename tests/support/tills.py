"""A till seen from its own side of the wire: it counts its rows as a terminal does, and closes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.platform.clock import now_us
from app.rules.drawer import Closed, Period, worth
from app.rules.ids import uuid7
from app.wire import AnyRow, CashRow, ClosingRow, CountRow, SessionRow
from app.wire.takings import close, take
from tests.support.network import Terminal

CASHIER = UUID(int=7)
RATES = {"RAF": 1}


@dataclass
class Till:
    terminal: Terminal
    last: Closed = field(default_factory=Closed)
    period: Period = field(default_factory=Period)
    booked: dict[UUID, AnyRow] = field(default_factory=dict)

    async def deliver(self, *rows: AnyRow) -> dict[str, Any]:
        for row in rows:
            sequence = len(self.terminal.journal.rows) + 1
            undone = self.booked.get(row.subject)
            take(self.period, f"{self.terminal.epoch}-{sequence}", row, undone if row.kind == "void" else None)
            if row.event is not None:
                self.booked[row.event] = row
            reply = await self.terminal.deliver(row)
        return reply

    async def open(self, pieces: Mapping[int, int]) -> None:
        pieces = dict(pieces)
        await self.deliver(SessionRow(id=uuid7(), cashier=CASHIER, at_us=now_us(), pieces=pieces, cents=worth(pieces)))

    async def move(self, direction: Any, reason: Any, cents: int, note: str = "") -> None:
        told = {"direction": direction, "reason": reason, "cents": cents, "note": note}
        await self.deliver(CashRow(id=uuid7(), cashier=CASHIER, at_us=now_us(), **told))

    async def count(self, pieces: Mapping[int, int], *, blind: bool = True) -> None:
        pieces = dict(pieces)
        row = CountRow(id=uuid7(), cashier=CASHIER, at_us=now_us(), pieces=pieces, cents=worth(pieces), blind=blind)
        await self.deliver(row)

    def closing(self, reason: str = "", at_us: int | None = None) -> ClosingRow:
        return close(
            self.period, self.last, RATES, id_=uuid7(), cashier=CASHIER, at_us=at_us or now_us(), reason=reason
        )

    async def close(self, reason: str = "", at_us: int | None = None) -> ClosingRow:
        row = self.closing(reason, at_us)
        await self.deliver(row)
        self.last, self.period = row.after, Period()
        return row
