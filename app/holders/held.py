"""What is kept about the account that a wallet is in, and taking the wallet out of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.holders.tables import (
    holder_account,
    holder_link,
    holder_parcel,
    holder_passkey,
    holder_session,
    holder_wallet,
)
from app.mail.held import in_part, sent_to


async def held_about(connection: AsyncConnection, wallet: UUID) -> list[dict[str, Any]]:
    """The address is told in part: whoever has one card of a family reads this too. The account's own page has it."""
    row = await _account(connection, wallet)
    if row is None:
        return []
    found: list[dict[str, Any]] = [
        {"made_us": row.created_at_us, "email": in_part(row.email), "name": row.name, "at_us": row.since_us}
    ]
    sessions = await connection.execute(sa.select(holder_session).where(holder_session.c.account == row.id))
    found += [{"at_us": it.seen_at_us, "device": it.user_agent} for it in sessions]
    passkeys = await connection.execute(sa.select(holder_passkey).where(holder_passkey.c.account == row.id))
    found += [{"what": "passkey", "made_us": it.made_at_us, "at_us": it.used_at_us} for it in passkeys]
    parcels = await connection.execute(sa.select(holder_parcel).where(holder_parcel.c.wallet == wallet))
    return found + [
        {
            "what": "parcel",
            "amount": {"currency": it.currency, "minor": it.amount},
            "email": in_part(it.email),
            "until_us": it.expires_at_us,
        }
        for it in parcels
    ]


async def letters(connection: AsyncConnection, wallet: UUID) -> list[UUID]:
    """E-mails to the account's address, where this wallet is all that is in it."""
    row = await _account(connection, wallet)
    return [] if row is None or await _others(connection, row.id) else await sent_to(connection, row.email)


async def forget(connection: AsyncConnection, wallet: UUID) -> None:
    """The wallet leaves the account; with its last wallet, the account goes, its sessions and its links."""
    row = await _account(connection, wallet)
    if row is None:
        return
    alone = not await _others(connection, row.id)
    await connection.execute(sa.delete(holder_wallet).where(holder_wallet.c.wallet == wallet))
    if alone:
        await connection.execute(sa.delete(holder_link).where(holder_link.c.email == row.email))
        await connection.execute(sa.delete(holder_session).where(holder_session.c.account == row.id))
        await connection.execute(sa.delete(holder_account).where(holder_account.c.id == row.id))


async def _account(connection: AsyncConnection, wallet: UUID) -> Any:
    query = sa.select(holder_account, holder_wallet.c.name, holder_wallet.c.since_us)
    query = query.join(holder_wallet, holder_wallet.c.account == holder_account.c.id)
    return (await connection.execute(query.where(holder_wallet.c.wallet == wallet))).one_or_none()


async def _others(connection: AsyncConnection, account: UUID) -> bool:
    query = sa.select(sa.func.count()).select_from(holder_wallet).where(holder_wallet.c.account == account)
    return int((await connection.execute(query)).scalar_one()) > 1
