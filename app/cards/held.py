"""What is kept about a wallet and its cards, and what of it can be forgotten."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.lifecycle import ends_of
from app.cards.recovery import made_at_us
from app.cards.tables import card, card_blank, wallet, wallet_limit


async def held_about(connection: AsyncConnection, wallet_id: UUID) -> list[dict[str, Any]]:
    """The wallet's cards, the oldest first. Their addresses are left out: a file that is passed on gives none away."""
    made = (await connection.execute(sa.select(wallet.c.created_at_us).where(wallet.c.id == wallet_id))).scalar_one()
    rows = await connection.execute(sa.select(card).where(card.c.wallet == wallet_id).order_by(card.c.created_at_us))
    cards = rows.all()
    ends = await ends_of(connection, [it.id for it in cards])
    found: list[dict[str, Any]] = [{"wallet": wallet_id, "made_us": made}]
    if (code := await made_at_us(connection, wallet_id)) is not None:
        found[0]["recovery_code_made_us"] = code
    for it in cards:
        told = {"card": it.label, "chip": it.uid, "status": it.status, "made_us": it.created_at_us}
        found.append(told | ({"ended_us": ends[it.id].at_us} if it.id in ends else {}))
    limits = await connection.execute(sa.select(wallet_limit).where(wallet_limit.c.wallet == wallet_id))
    return found + [{"what": "limit", "amount": {"currency": it.currency, "minor": it.per_day}} for it in limits]


async def forget(connection: AsyncConnection, wallet_id: UUID) -> None:
    """What people wrote on a card becomes a number; a label that was printed ahead names nobody and stays."""
    written = card.c.token.not_in(sa.select(card_blank.c.token))
    rows = await connection.execute(sa.select(card.c.id).where(card.c.wallet == wallet_id, written))
    for id_ in rows.scalars().all():
        anonymous = f"# {id_.hex[-8:].upper()}"
        await connection.execute(sa.update(card).where(card.c.id == id_).values(label=anonymous))
