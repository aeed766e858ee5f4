"""The recovery code of a wallet: with it, its cards are blocked from any phone.

A code is told once, to whoever makes it. What is kept is its MAC under the server's own key, by which it is found again
and from which nobody reads it: neither in the database nor in a copy of it. A wallet has one code at a time.

The code follows from the number of the form that asked for it, so that the same form sent twice, for its answer was
lost on the way, shows the same code again, for a quarter of an hour.

Errors:
    Conflict("recovery-code-there")   the wallet has a code, and the caller may make its first one only
    Invalid(field="code")             what was typed is no code, or nobody's
"""

from __future__ import annotations

import hmac
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards import rules
from app.cards.lifecycle import ends_of, set_blocked
from app.cards.service import Card, cards_of_wallet
from app.cards.tables import wallet_recovery
from app.identity.audit import audit
from app.platform.clock import now_us
from app.platform.errors import Conflict, Invalid

TOLD_AGAIN_US: Final = 15 * 60 * 1_000_000
# As the audit log has it.
REASON: Final = "recovery code"

_MARK: Final = b"comptoir-recovery-1"
_CODE: Final = b"comptoir-recovery-code-1"


async def made_at_us(connection: AsyncConnection, wallet: UUID) -> int | None:
    """When the wallet's code was made; None where there is none."""
    query = sa.select(wallet_recovery.c.made_at_us).where(wallet_recovery.c.wallet == wallet)
    found: int | None = (await connection.execute(query)).scalar_one_or_none()
    return found


async def make(
    connection: AsyncConnection,
    key: bytes,
    actor: str,
    card: Card,
    form: UUID,
    *,
    first: bool = False,
    shown: bool = True,
) -> str:
    """A new code, by which any earlier one is void. `first`: only where there is none yet. `shown`: whoever asks for it
    showed the card itself, and not its address alone."""
    code = rules.recovery_code(hmac.digest(key, _CODE + card.wallet.bytes + form.bytes, "sha256"))
    row = {"wallet": card.wallet, "mark": _mark(key, code), "made_at_us": now_us(), "shown": shown}
    insert = (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(wallet_recovery)
    if (await connection.execute(insert.values(row).on_conflict_do_nothing())).rowcount:
        await audit(connection, actor, "card.recovery", f"card:{card.id}")
        return code
    own = wallet_recovery.c.wallet == card.wallet
    known = (await connection.execute(sa.select(wallet_recovery).where(own).with_for_update())).one()
    if hmac.compare_digest(known.mark, row["mark"]) and now_us() < known.made_at_us + TOLD_AGAIN_US:
        return code
    if first:
        raise Conflict("This card's wallet has a recovery code already.", "recovery-code-there")
    await connection.execute(sa.update(wallet_recovery).where(own).values(row))
    await audit(connection, actor, "card.recovery", f"card:{card.id}")
    return code


async def wallet_of(connection: AsyncConnection, key: bytes, typed: str) -> UUID:
    """The wallet whose code this is. Raises Invalid(field="code")."""
    code = rules.read_recovery_code(typed)
    query = sa.select(wallet_recovery.c.wallet).where(wallet_recovery.c.mark == _mark(key, code or ""))
    found: UUID | None = (await connection.execute(query)).scalar_one_or_none()
    if code is None or found is None:
        raise Invalid("This is no recovery code of this network.", field="code")
    return found


async def was_shown(connection: AsyncConnection, wallet: UUID) -> bool:
    """Whether the wallet's code was made for who showed a card of it: one that its address alone made is known to
    whoever has found the card."""
    query = sa.select(wallet_recovery.c.shown).where(wallet_recovery.c.wallet == wallet)
    return bool((await connection.execute(query)).scalar_one_or_none())


async def block_all(connection: AsyncConnection, actor: str, wallet: UUID) -> list[Card]:
    """Block every card of the wallet, at once; those that open it still, blocked as they are now. Again changes
    nothing."""
    cards = await cards_of_wallet(connection, wallet)
    ended = await ends_of(connection, [it.id for it in cards])
    open_ = sorted((it for it in cards if it.id not in ended), key=lambda it: it.id)
    for it in open_:
        await set_blocked(connection, actor, it.id, True, REASON)
    return open_


def _mark(key: bytes, code: str) -> bytes:
    return hmac.digest(key, _MARK + code.encode(), "sha256")
