"""All cards, as a card desk looks through them: by what is written on them and by their state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.tables import card, card_end

State = Literal["active", "blocked", "replaced", "retired"]
STATES: Final[tuple[State, ...]] = ("active", "blocked", "replaced", "retired")

_state = sa.func.coalesce(card_end.c.outcome, card.c.status)
_all = card.outerjoin(card_end, card_end.c.card == card.c.id)


@dataclass(frozen=True, slots=True)
class Row:
    id: UUID
    uid: str
    label: str
    state: State
    assurance: Literal["A", "B", "C"]
    created_at_us: int


async def counts(connection: AsyncConnection) -> Mapping[State, int]:
    """How many cards there are, by state."""
    query = sa.select(_state.label("state"), sa.func.count().label("number")).select_from(_all).group_by(_state)
    found: dict[State, int] = {row.state: row.number for row in await connection.execute(query)}
    return {it: found.get(it, 0) for it in STATES}


async def listed(
    connection: AsyncConnection, typed: str = "", state: State | None = None, *, skip: int = 0, limit: int | None = None
) -> list[Row]:
    """By label. `typed`: a part of the label or of the number, or the whole address of the card's page."""
    columns = (card.c.id, card.c.uid, card.c.label, _state.label("state"), card.c.assurance, card.c.created_at_us)
    query = sa.select(*columns).select_from(_all).order_by(card.c.label, card.c.id).offset(skip).limit(limit)
    if typed.strip():
        query = query.where(_described(typed.strip()))
    if state is not None:
        query = query.where(_state == state)
    return [Row(*row) for row in await connection.execute(query)]


def _described(typed: str) -> sa.ColumnElement[bool]:
    if "/c/" in typed:
        return card.c.token == typed.rpartition("/c/")[2].split("/")[0].split("?")[0]
    found = sa.func.lower(card.c.label).contains(typed.lower(), autoescape=True)
    number = typed.replace(" ", "").replace(":", "").upper()
    return sa.or_(found, card.c.uid.contains(number, autoescape=True)) if number else found
