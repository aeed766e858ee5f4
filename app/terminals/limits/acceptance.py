"""The organiser's acceptance, in writing, of what terminals without network can cost. Rows are only ever added."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.platform.clock import now_us
from app.platform.kept_rows import AppendOnly
from app.rules.exposure import Exposure
from app.rules.ids import uuid7
from app.terminals.tables import exposure_acceptance as table

GUARDS = AppendOnly({"exposure_acceptance": "id = NEW.id"}, "acceptance_refuse", "what was accepted in writing stays")


@dataclass(frozen=True, slots=True)
class Accepted:
    """`signed`: what they wrote as their name; `figures`: what they accepted, by currency."""

    at_us: int
    actor: str
    signed: str
    sentence: str
    figures: Mapping[str, Exposure]


@dataclass(frozen=True, slots=True)
class Raised:
    """A currency of which more can be lost than was accepted; `was` is None where nothing of it was."""

    code: str
    was: Exposure | None
    now: Exposure


async def accept(
    connection: AsyncConnection, actor: str, signed: str, sentence: str, figures: Mapping[str, Exposure]
) -> None:
    values = {"actor": actor, "signed": signed, "sentence": sentence}
    text = json.dumps({code: asdict(it) for code, it in figures.items()})
    await connection.execute(sa.insert(table).values(id=uuid7(), at_us=now_us(), figures=text, **values))


async def acceptances(connection: AsyncConnection, limit: int) -> list[Accepted]:
    """The newest first."""
    rows = await connection.execute(sa.select(table).order_by(table.c.at_us.desc(), table.c.id.desc()).limit(limit))
    return [_accepted(row) for row in rows]


def raised(accepted: Accepted | None, now: Mapping[str, Exposure]) -> list[Raised]:
    """Of what more can be lost than was accepted last. A smaller figure needs no new acceptance."""
    return list(_raised({} if accepted is None else accepted.figures, now))


def _raised(before: Mapping[str, Exposure], now: Mapping[str, Exposure]) -> Iterator[Raised]:
    for code, it in now.items():
        was = before.get(code)
        if it.most > (was.most if was else 0):
            yield Raised(code, was, it)


def _accepted(row: Any) -> Accepted:
    figures = {code: Exposure(**it) for code, it in json.loads(row.figures).items()}
    return Accepted(row.at_us, row.actor, row.signed, row.sentence, figures)
