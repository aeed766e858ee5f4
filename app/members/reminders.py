"""One reminder by e-mail before a membership ends, to members who left an address for it, and the way to refuse it.

A membership that was renewed needs none. Which were reminded is kept with them, in the transaction that leaves the
message, so each is reminded once.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from datetime import timedelta
from typing import Final, Literal
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.mail.service import Letter, queue
from app.members.plans import plans
from app.members.tables import member_term
from app.platform.clock import now_us
from app.platform.context import Context
from app.rules.business_day import business_day
from app.venues.service import the_network, venues

TEMPLATE: Final = "members/reminder_mail"
AHEAD_DAYS: Final = 14
_LABEL: Final = b"comptoir-member-stop-1"
_MAC_BYTES: Final = 16


async def remind(context: Context) -> int:
    """How many reminders were left to be sent."""
    async with context.reader.connect() as connection:
        network, at, every = await the_network(connection), await venues(connection), await plans(connection)
        today = business_day(now_us(), network.settings.zone)
        later = member_term.alias()
        renewed = sa.exists().where(
            later.c.wallet == member_term.c.wallet,
            later.c.plan == member_term.c.plan,
            later.c.state != "cancelled",
            later.c.last_day > member_term.c.last_day,
        )
        query = sa.select(member_term).where(
            member_term.c.state == "held",
            member_term.c.email.is_not(None),
            member_term.c.reminded.is_(False),
            member_term.c.last_day >= today,
            member_term.c.last_day <= today + timedelta(AHEAD_DAYS),
            ~renewed,
        )
        due = (await connection.execute(query)).all()
    count = 0
    for it in due:
        plan = every[it.plan]
        # Still wanted, and nobody's reminder yet: of two processes one writes it.
        mine = (member_term.c.id == it.id, member_term.c.reminded.is_(False), member_term.c.state == "held")
        data = {
            "network_name": network.name,
            "plan": plan.name(it.language),
            "seller": at[plan.venue].name if plan.venue else network.name,
            "last": it.last_day.strftime("%d/%m/%Y"),
            "stop": f"/memberships/stop/{stop_token(context.keys.token, it.id)}",
        }
        async with context.engine.begin() as connection:
            if (await connection.execute(sa.update(member_term).where(*mine).values(reminded=True))).rowcount:
                language: Literal["fr", "en"] = "en" if it.language == "en" else "fr"
                await queue(connection, Letter(letter_of(it.id), TEMPLATE, language, it.email, data))
                count += 1
    return count


def letter_of(term: UUID) -> UUID:
    """The id of its reminder: written twice it is one message."""
    return uuid5(term, "reminder")


async def stop(connection: AsyncConnection, term: UUID) -> None:
    """No reminder of any membership of this wallet, and the address is forgotten. Again changes nothing."""
    wallet = sa.select(member_term.c.wallet).where(member_term.c.id == term).scalar_subquery()
    mine = sa.update(member_term).where(member_term.c.wallet == wallet)
    await connection.execute(mine.values(email=None, reminded=None))


def stop_token(key: bytes, term: UUID) -> str:
    """What an e-mail carries so that whoever reads it ends them: it opens nothing else."""
    return base64.urlsafe_b64encode(term.bytes + _mac(key, term)).decode().rstrip("=")


def stopped_by(key: bytes, token: str) -> UUID | None:
    """Whose they are; None for anything that is no such token."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        term = UUID(bytes=raw[:16])
    except (binascii.Error, ValueError):
        return None
    return term if hmac.compare_digest(raw[16:], _mac(key, term)) else None


def _mac(key: bytes, term: UUID) -> bytes:
    return hmac.digest(key, _LABEL + term.bytes, "sha256")[:_MAC_BYTES]
