"""Money before there is a wristband: a wallet of the account whose card is an address on the phone, until a chip takes
its place.

To everything else it is a card like any other: topped up by its page, found at a counter by the code that the phone
shows, blocked, replaced. The chip that takes its place opens its wallet, and the address on the phone ends, as with any
card that is replaced (app/cards/lifecycle.py).

Errors:
    Conflict("too-many")       the account has as many of them as anybody needs
    Conflict("not-on-phone")   it is a chip already
    and those of app.cards.lifecycle
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards import lifecycle, rules
from app.cards.service import Card, add_card
from app.holders.accounts import Session
from app.holders.tables import holder_account, holder_wallet
from app.holders.wallets import Wallet
from app.identity.audit import audit
from app.platform.clock import now_us
from app.platform.errors import Conflict

OPEN_MAX: Final = 5
REASON: Final = "first chip"


def waiting(wallets: Sequence[Wallet]) -> list[Wallet]:
    """Those that no chip opens yet."""
    return [it for it in wallets if it.open_card is not None and all(card.on_phone for card in it.cards)]


async def open_wallet(connection: AsyncConnection, session: Session, name: str) -> Card:
    """A new wallet in the account, and the address that stands in for its card. Raises Conflict("too-many")."""
    # Locked, so that of two forms at once the second counts the first one's.
    locked = sa.select(holder_account.c.id).where(holder_account.c.id == session.account).with_for_update()
    await connection.execute(locked)
    own = sa.select(holder_wallet.c.wallet).where(holder_wallet.c.account == session.account)
    if await _on_phones(connection, own) >= OPEN_MAX:
        raise Conflict(f"An account has at most {OPEN_MAX} wallets without a card.", "too-many")
    random = secrets.token_bytes(32)
    new = await add_card(connection, rules.phone_uid(random), f"Mobile {rules.claim_code(random)}")
    row = {"wallet": new.wallet, "account": session.account, "name": name, "since_us": now_us()}
    await connection.execute(sa.insert(holder_wallet).values(row))
    await audit(connection, session.actor, "wallet.open", f"card:{new.id}", label=new.label)
    return new


async def give_chip(connection: AsyncConnection, actor: str, card: Card, uid: str, label: str | None = None) -> Card:
    """The chip with this number takes the place of the address on the phone. Again, it is the same."""
    if not card.on_phone:
        raise Conflict("This is a chip already.", "not-on-phone")
    return await lifecycle.replace(connection, actor, card.id, uid, label, REASON)


async def _on_phones(connection: AsyncConnection, wallets: sa.Select[Any]) -> int:
    found = await lifecycle.open_cards(connection, wallets)
    return sum(rules.is_phone_uid(uid) for uid in found)
