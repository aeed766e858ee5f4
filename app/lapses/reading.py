"""One period wallet by wallet: what lapsed, or what would if nothing moved any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.lapses import service, store
from app.lapses.rules import Effect
from app.lapses.store import Group, Notice
from app.ledger.service import Ledger
from app.platform.context import Context
from app.platform.errors import NotFound


@dataclass(frozen=True, slots=True)
class WalletLine:
    """`amount`: minor units that lapsed, or would. `label`: the version of the rules that says so."""

    notice: Notice
    amount: int
    label: str


@dataclass(frozen=True, slots=True)
class PeriodLines:
    """`is_open`: something of it is still to be decided."""

    group: Group
    lines: Sequence[WalletLine]

    @property
    def is_open(self) -> bool:
        return any(it.notice.taken is None for it in self.lines)


async def period_of(context: Context, ledger: Ledger, currency: str, effect: Effect, period: date) -> PeriodLines:
    """The largest notices first. Raises NotFound."""
    async with context.reader.connect() as connection:
        group = await store.group(connection, currency, effect, period)
        if group is None:
            raise NotFound("Nothing was announced for that day.")
        notices = await store.notices(connection, group)
    foreseen = {}
    if any(it.taken is None for it in notices):
        decisions = await service.foreseen(context.engine, ledger, group.due_us)
        foreseen = {it.notice.id: it for it in decisions}
    lines = []
    for it in notices:
        decision = foreseen.get(it.id)
        if it.taken is None and decision is not None:
            lines.append(WalletLine(it, decision.amount, decision.version.label))
        else:
            lines.append(WalletLine(it, it.taken or 0, it.policy))
    return PeriodLines(group, lines)
