"""Signing in to a holder's account: a link by e-mail, good once, and the session that it opens.

Whoever has the mailbox has the account: the first link makes it. So asking for a link says nothing about who has one.
The link's page only asks; its button uses the link up, so that a mail scanner that looks at every address does not.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.holders.tables import holder_account, holder_link, holder_session
from app.mail.service import Letter, queue, sealed
from app.platform import clock
from app.platform.context import Context
from app.platform.errors import NotFound
from app.rules.ids import uuid7
from app.venues.service import the_network

LINK_US: Final = 30 * 60 * 1_000_000
# A phone in a pocket for a season; one that was not used for a month signs in anew.
LIFETIME_US: Final = 90 * 24 * 3600 * 1_000_000
IDLE_US: Final = 30 * 24 * 3600 * 1_000_000
SEEN_PRECISION_US: Final = 3600 * 1_000_000
TEMPLATE: Final = "holders/link_mail"

_TOKEN_BYTES = 24
_USER_AGENT_MAX = 200


@dataclass(frozen=True, slots=True)
class Session:
    """Of a holder. `id`: the SHA-256 of its token; `csrf`: for forms."""

    id: bytes
    account: UUID
    email: str
    csrf: str

    @property
    def actor(self) -> str:
        """As the audit log and the ledger name them."""
        return actor_of(self.account)


@dataclass(frozen=True, slots=True)
class Link:
    """`card`: whose page asked for it."""

    email: str
    card: UUID | None


def actor_of(account: UUID) -> str:
    return f"account:{account}"


async def send_link(context: Context, email: str, language: Literal["fr", "en"], card: UUID | None = None) -> None:
    """Leave a link in the mailbox. `email`: an address as app.mail.rules.address gives it."""
    token, letter, now = secrets.token_urlsafe(_TOKEN_BYTES), uuid7(), clock.now_us()
    email = email.lower()
    async with context.engine.begin() as connection:
        await connection.execute(sa.delete(holder_link).where(holder_link.c.expires_at_us < now))
        row = {"token_sha256": _sha256(token), "email": email, "card": card, "expires_at_us": now + LINK_US}
        await connection.execute(sa.insert(holder_link).values(row))
        data = {"network_name": (await the_network(connection)).name, "minutes": LINK_US // 60_000_000}
        data |= sealed(context.keys.token, letter, token)
        await queue(connection, Letter(letter, TEMPLATE, language, email, data))


async def link_behind(connection: AsyncConnection, token: str) -> Link:
    """Raises NotFound("link-void")."""
    good = (holder_link.c.token_sha256 == _sha256(token), holder_link.c.expires_at_us > clock.now_us())
    row = (await connection.execute(sa.select(holder_link).where(*good))).one_or_none()
    if row is None:
        raise NotFound("This link is used or too old: ask for a new one.", "link-void")
    return Link(row.email, row.card)


async def use_link(context: Context, token: str, user_agent: str, previous_token: str = "") -> tuple[str, Link]:
    """The token of a new session, and the link as it was. Of two who use it at once, one signs in.

    Raises NotFound("link-void")."""
    now = clock.now_us()
    async with context.engine.begin() as connection:
        good = (holder_link.c.token_sha256 == _sha256(token), holder_link.c.expires_at_us > now)
        row = (await connection.execute(sa.delete(holder_link).where(*good).returning(holder_link))).one_or_none()
        if row is None:
            raise NotFound("This link is used or too old: ask for a new one.", "link-void")
        account = await _account_of(connection, row.email)
        return await open_session(connection, account, user_agent, previous_token), Link(row.email, row.card)


async def open_session(connection: AsyncConnection, account: UUID, user_agent: str, previous_token: str = "") -> str:
    """Its token, which is told this once; the session of `previous_token`, if any, ends."""
    token, now = secrets.token_urlsafe(_TOKEN_BYTES), clock.now_us()
    ended = sa.or_(
        holder_session.c.created_at_us < now - LIFETIME_US,
        holder_session.c.seen_at_us < now - IDLE_US,
        holder_session.c.token_sha256 == _sha256(previous_token),
    )
    await connection.execute(sa.delete(holder_session).where(ended))
    row = {
        "token_sha256": _sha256(token),
        "account": account,
        "csrf": secrets.token_urlsafe(_TOKEN_BYTES),
        "created_at_us": now,
        "seen_at_us": now,
        "user_agent": user_agent[:_USER_AGENT_MAX],
    }
    await connection.execute(sa.insert(holder_session).values(row))
    return token


async def find_session(context: Context, token: str) -> Session | None:
    """The live session of a cookie's token."""
    if not token:
        return None
    now, it = clock.now_us(), holder_session.c
    live = (it.token_sha256 == _sha256(token), it.created_at_us > now - LIFETIME_US, it.seen_at_us > now - IDLE_US)
    query = sa.select(holder_session, holder_account.c.email).join(holder_account).where(*live)
    async with context.reader.connect() as connection:
        row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    if now - row.seen_at_us > SEEN_PRECISION_US:
        async with context.engine.begin() as connection:
            seen = sa.update(holder_session).where(it.token_sha256 == row.token_sha256)
            await connection.execute(seen.values(seen_at_us=now))
    return Session(row.token_sha256, row.account, row.email, row.csrf)


async def end_sessions(connection: AsyncConnection, session: Session, *, others: bool = False) -> None:
    """This one, or all others of the account."""
    here = holder_session.c.token_sha256 == session.id
    which = sa.and_(holder_session.c.account == session.account, sa.not_(here)) if others else here
    await connection.execute(sa.delete(holder_session).where(which))


async def sessions_of(connection: AsyncConnection, account: UUID) -> int:
    """How many are live."""
    now, it = clock.now_us(), holder_session.c
    live = (it.account == account, it.created_at_us > now - LIFETIME_US, it.seen_at_us > now - IDLE_US)
    query = sa.select(sa.func.count()).select_from(holder_session).where(*live)
    return int((await connection.execute(query)).scalar_one())


async def _account_of(connection: AsyncConnection, email: str) -> UUID:
    """The account of this address, made now if there is none."""
    insert = (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(holder_account)
    row = {"id": uuid7(), "email": email, "created_at_us": clock.now_us()}
    await connection.execute(insert.values(row).on_conflict_do_nothing())
    query = sa.select(holder_account.c.id).where(holder_account.c.email == email)
    found: UUID = (await connection.execute(query)).scalar_one()
    return found


def _sha256(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
