"""A card by its address, with what every view of its page wants to know, in one statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.lifecycle import End
from app.cards.service import Card, card_of
from app.cards.tables import card, card_end, wallet_recovery
from app.platform.errors import NotFound
from app.platform.tables import revision


@dataclass(frozen=True, slots=True)
class Look:
    """`end`: None as long as it is in use. `code_made_at_us`: when its wallet's recovery code was made, if it has one.
    `revision`: app.platform.revision."""

    card: Card
    end: End | None
    code_made_at_us: int | None
    revision: int


# Put together once: that takes longer than its answer.
_LOOK: Final[sa.Select[Any]] = (
    sa.select(
        card,
        card_end.c.outcome,
        card_end.c.replaced_by,
        card_end.c.at_us,
        wallet_recovery.c.made_at_us,
        sa.select(revision.c.value).scalar_subquery().label("revision"),
    )
    .outerjoin(card_end, card_end.c.card == card.c.id)
    .outerjoin(wallet_recovery, wallet_recovery.c.wallet == card.c.wallet)
    .where(card.c.token == sa.bindparam("token"))
)


async def look_at(connection: AsyncConnection, token: str) -> Look:
    """Raises NotFound("card-unknown")."""
    row = (await connection.execute(_LOOK, {"token": token})).one_or_none()
    if row is None:
        raise NotFound("This card is not known in this network.", "card-unknown")
    end = End(row.outcome, row.replaced_by, row.at_us) if row.outcome is not None else None
    return Look(card_of(row), end, row.made_at_us, row.revision)
