"""E-mail that nobody has to get: who agreed to it, to which words, and when; and taking that back.

`WORDS` is the version of what stands beside the box that is ticked (app/lapses/templates/notices.html): whoever changes
that text counts on, so that it stays known what somebody agreed to.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.mail.tables import mail_consent
from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.rules.ids import uuid7

Purpose = Literal["reminders"]
WORDS: Final = 1
_LABEL: Final = b"comptoir-mail-stop-1"
_MAC_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Consent:
    """One that holds."""

    id: UUID
    wallet: UUID
    address: str
    language: Literal["fr", "en"]
    given_at_us: int


async def give(
    connection: AsyncConnection, wallet: UUID, purpose: Purpose, address: str, language: Literal["fr", "en"]
) -> None:
    """Another address takes the place of the one before. Pressed twice it is one."""
    known = await of_wallet(connection, wallet, purpose)
    if known is not None:
        if known.address == address:
            return
        await withdraw(connection, known.id)
    row = {"id": uuid7(), "wallet": wallet, "purpose": purpose, "address": address, "language": language}
    row |= {"words": WORDS, "given_at_us": now_us()}
    insert = (sqlite.insert if is_sqlite(connection) else postgresql.insert)(mail_consent)
    await connection.execute(insert.values(row).on_conflict_do_nothing())


async def withdraw(connection: AsyncConnection, id_: UUID) -> None:
    """Again changes nothing."""
    holds = (mail_consent.c.id == id_, mail_consent.c.withdrawn_at_us.is_(None))
    await connection.execute(sa.update(mail_consent).where(*holds).values(address=None, withdrawn_at_us=now_us()))


async def of_wallet(connection: AsyncConnection, wallet: UUID, purpose: Purpose) -> Consent | None:
    mine = (mail_consent.c.wallet == wallet, mail_consent.c.purpose == purpose)
    query = sa.select(mail_consent).where(*mine, mail_consent.c.withdrawn_at_us.is_(None))
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _read(row)


async def all_for(connection: AsyncConnection, purpose: Purpose) -> list[Consent]:
    holds = (mail_consent.c.purpose == purpose, mail_consent.c.withdrawn_at_us.is_(None))
    query = sa.select(mail_consent).where(*holds).order_by(mail_consent.c.given_at_us)
    return [_read(row) for row in await connection.execute(query)]


async def ids_of(connection: AsyncConnection, wallet: UUID) -> list[UUID]:
    """Also of those that were withdrawn."""
    query = sa.select(mail_consent.c.id).where(mail_consent.c.wallet == wallet)
    return list((await connection.execute(query)).scalars())


async def held_about(connection: AsyncConnection, wallet: UUID) -> list[dict[str, Any]]:
    query = sa.select(mail_consent).where(mail_consent.c.wallet == wallet).order_by(mail_consent.c.given_at_us)
    return [
        {
            "at_us": it.given_at_us,
            "what": it.purpose,
            "email": it.address,
            "words": it.words,
            "ended_us": it.withdrawn_at_us,
        }
        for it in await connection.execute(query)
    ]


async def forget(connection: AsyncConnection, wallet: UUID) -> None:
    known = await of_wallet(connection, wallet, "reminders")
    if known is not None:
        await withdraw(connection, known.id)


def stop_token(key: bytes, id_: UUID) -> str:
    """What an e-mail carries so that whoever reads it ends it: it opens nothing else."""
    return base64.urlsafe_b64encode(id_.bytes + _mac(key, id_)).decode().rstrip("=")


def stopped_by(key: bytes, token: str) -> UUID | None:
    """Which one a token ends; None for anything that is no such token."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        id_ = UUID(bytes=raw[:16])
    except (binascii.Error, ValueError):
        return None
    return id_ if hmac.compare_digest(raw[16:], _mac(key, id_)) else None


def _mac(key: bytes, id_: UUID) -> bytes:
    return hmac.digest(key, _LABEL + id_.bytes, "sha256")[:_MAC_BYTES]


def _read(row: Any) -> Consent:
    return Consent(row.id, row.wallet, row.address, row.language, row.given_at_us)
