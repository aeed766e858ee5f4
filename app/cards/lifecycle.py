"""What becomes of a card: blocked and unblocked, replaced, retired; and other cards made to open its wallet.

Each act may be done twice at once, or again: the second time changes nothing and writes nothing down. Who does it is
`actor`, as in app.identity.audit; `reason` is kept there. Every act happens in the caller's transaction and locks the
card's row first.

Errors:
    NotFound("card-unknown")
    Conflict("card-ended")     it was replaced or retired: that is for good
    Conflict("card-in-use")    the other card opens a wallet that was used; the transaction is of no more use
    Forbidden("card-blocked")  the other card is blocked
    Invalid(field="label")     the other card is not known yet, and nobody said what is printed on it
    Invalid(field="uid")       a card is not linked to itself, nor replaced by itself
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.service import Card, add_to_wallet, card_by_id, card_by_uid
from app.cards.tables import card, card_end, wallet
from app.identity.audit import audit, last_about
from app.identity.store import hand_badge_on
from app.platform.clock import now_us
from app.platform.errors import Conflict, Forbidden, Invalid, NotFound

REASON_MAX = 200
_BLOCKED: Final = "card.blocked"
Outcome = Literal["replaced", "retired"]


@dataclass(frozen=True, slots=True)
class End:
    """That a card is out of use for good. `replaced_by`: the card that stands in for it."""

    outcome: Outcome
    replaced_by: UUID | None
    at_us: int


async def end_of(connection: AsyncConnection, card_id: UUID) -> End | None:
    return (await ends_of(connection, [card_id])).get(card_id)


async def ends_of(connection: AsyncConnection, ids: Collection[UUID] | None = None) -> dict[UUID, End]:
    """Of those of these cards that ended; None: of all."""
    query = sa.select(card_end) if ids is None else sa.select(card_end).where(card_end.c.card.in_(ids))
    rows = await connection.execute(query)
    return {row.card: End(row.outcome, row.replaced_by, row.at_us) for row in rows}


async def open_cards(connection: AsyncConnection, wallets: sa.Select[Any]) -> list[str]:
    """The numbers of the cards that open these wallets still. `wallets`: a query of their ids."""
    query = sa.select(card.c.uid).outerjoin(card_end, card_end.c.card == card.c.id)
    query = query.where(card.c.wallet.in_(wallets), card_end.c.card.is_(None))
    return list((await connection.execute(query)).scalars())


async def set_blocked(connection: AsyncConnection, actor: str, card_id: UUID, blocked: bool, reason: str = "") -> None:
    """Nobody pays with it from then on; or the block is lifted. Who blocks a card that is blocked for another reason is
    written down: the block is theirs too, and whoever was first does not lift it alone."""
    before, subject = await _locked(connection, card_id), f"card:{card_id}"
    status = "blocked" if blocked else "active"
    if before.status == status:
        last = await last_about(connection, _BLOCKED, subject) if blocked else None
        if last is not None and (last.actor, last.details.get("reason", "")) != (actor, reason):
            await audit(connection, actor, _BLOCKED, subject, reason=reason)
        return
    if await end_of(connection, card_id) is not None:
        raise _ended()
    await connection.execute(sa.update(card).where(card.c.id == card_id).values(status=status))
    await audit(connection, actor, _BLOCKED if blocked else "card.active", subject, reason=reason)


async def blocked_for(connection: AsyncConnection, card_id: UUID) -> tuple[str, str] | None:
    """By whom it was blocked last, and why."""
    last = await last_about(connection, _BLOCKED, f"card:{card_id}")
    return None if last is None else (last.actor, last.details.get("reason", ""))


async def retire(connection: AsyncConnection, actor: str, card_id: UUID, reason: str = "") -> None:
    """Out of use for good. What is on its wallet stays there, for another card that is linked to it."""
    before = await _locked(connection, card_id)
    end = await end_of(connection, card_id)
    if end is not None:
        if end.outcome == "retired":
            return
        raise _ended()
    await _end(connection, before, "retired", None)
    await audit(connection, actor, "card.retire", f"card:{card_id}", reason=reason)


async def replace(
    connection: AsyncConnection, actor: str, card_id: UUID, uid: str, label: str | None = None, reason: str = ""
) -> Card:
    """The card with the number `uid` stands in for this one, which is out of use for good: it opens the same wallet,
    and is the staff card of whoever signed in with this one. `label`: what is printed on it, if it is not known yet."""
    before = await _locked(connection, card_id, uid)
    end = await end_of(connection, card_id)
    if end is not None:
        stands_in = None if end.replaced_by is None else await card_by_id(connection, end.replaced_by)
        if stands_in is None or stands_in.uid != uid:
            raise _ended()
        return stands_in
    new = await _opening(connection, actor, before, uid, label)
    await _end(connection, before, "replaced", new)
    await audit(connection, actor, "card.replace", f"card:{card_id}", card=new.label, reason=reason)
    return new


async def link(connection: AsyncConnection, actor: str, card_id: UUID, uid: str, label: str | None = None) -> Card:
    """The card with the number `uid` opens this one's wallet too, also where this one ended."""
    return await _opening(connection, actor, await _locked(connection, card_id, uid), uid, label)


async def _opening(connection: AsyncConnection, actor: str, of: Card, uid: str, label: str | None) -> Card:
    """The card with this number, which opens the wallet of `of`: as it did, from now on, or as a new one."""
    if uid == of.uid:
        raise Invalid("Lay down another card than the one that it is for.", field="uid")
    try:
        other = await card_by_uid(connection, uid)
    except NotFound:
        if label is None or not label.strip():
            raise Invalid("Say what is printed on this card: it is not known yet.", field="label") from None
        try:
            other = await add_to_wallet(connection, of.wallet, uid, label.strip())
        except sa.exc.IntegrityError:
            raise _in_use() from None
        await audit(connection, actor, "card.add", f"card:{other.id}", label=other.label)
    else:
        if await end_of(connection, other.id) is not None:
            raise _ended()
        if other.status != "active":
            raise Forbidden("The card that is to open this wallet is blocked.", "card-blocked")
        if other.wallet == of.wallet:
            return other
        await _leave_wallet(connection, other, of.wallet)
    await audit(connection, actor, "card.link", f"card:{other.id}", card=of.label)
    return await card_by_id(connection, other.id)


async def _leave_wallet(connection: AsyncConnection, it: Card, to: UUID) -> None:
    """A card that nobody has used changes its wallet: the database refuses it for any other (app/cards/guards.py)."""
    try:
        await connection.execute(sa.update(card).where(card.c.id == it.id).values(wallet=to))
        await connection.execute(sa.delete(wallet).where(wallet.c.id == it.wallet))
    except sa.exc.IntegrityError:
        raise _in_use() from None


async def _end(connection: AsyncConnection, it: Card, outcome: Outcome, replaced_by: Card | None) -> None:
    await connection.execute(sa.update(card).where(card.c.id == it.id).values(status="blocked"))
    other = None if replaced_by is None else replaced_by.id
    values = {"card": it.id, "outcome": outcome, "replaced_by": other, "at_us": now_us()}
    await connection.execute(sa.insert(card_end).values(values))
    await hand_badge_on(connection, it.uid, None if replaced_by is None else replaced_by.uid)


async def _locked(connection: AsyncConnection, card_id: UUID, uid: str | None = None) -> Card:
    """As it stands now; nobody else changes it, or the one with the number `uid`, before the end of the transaction.

    Locked in one order, so that two who replace these cards by each other do not wait for one another."""
    both = sa.select(card.c.id).where(sa.or_(card.c.id == card_id, card.c.uid == uid)).order_by(card.c.id)
    await connection.execute(both.with_for_update())
    return await card_by_id(connection, card_id)


def _ended() -> Conflict:
    return Conflict("This card is out of use for good.", "card-ended")


def _in_use() -> Conflict:
    return Conflict("The other card opens a wallet of its own, which was used.", "card-in-use")
