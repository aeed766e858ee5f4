"""Members: a name on a card, with the roles they play, and the credit they have from the start."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.cards.service import Card, card_by_uid, cards_by_uid, wallet_key
from app.cards.tables import card as card_table
from app.currencies.service import Currency
from app.identity.audit import audit
from app.ledger.service import Ledger
from app.mutual.rules import ROLES, Role
from app.mutual.tables import credit_start, member, member_role
from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.platform.errors import Conflict, NotFound
from app.rules.ids import uuid7
from app.rules.policy import Policy

_MEMBERS = sa.select(member, card_table.c.uid).join(card_table, card_table.c.id == member.c.card)


@dataclass(frozen=True, slots=True)
class Member:
    """`card`: the one they joined with."""

    id: UUID
    name: str
    roles: tuple[Role, ...]
    card: Card
    joined_at_us: int

    @property
    def owner(self) -> str:
        """Their wallet's name in the ledger's accounts."""
        return self.card.owner


async def add_member(engine: AsyncEngine, uid: str, name: str, roles: Iterable[Role], actor: str) -> Member:
    """Raises NotFound("card-unknown"), Conflict("member-exists")."""
    now = now_us()
    async with engine.begin() as connection:
        card = await card_by_uid(connection, uid)
        new = Member(uuid7(), name, _ordered(roles), card, now)
        values = {"id": new.id, "card": card.id, "wallet": card.wallet, "name": name}
        try:
            async with connection.begin_nested():
                await connection.execute(sa.insert(member).values(**values, joined_at_us=now, author=actor))
        except IntegrityError:
            raise Conflict("This card belongs to a member already.", "member-exists") from None
        await _write_roles(connection, new.id, new.roles)
        await audit(connection, actor, "member.add", f"member:{new.id}", roles=list(new.roles))
    return new


async def set_roles(engine: AsyncEngine, who: Member, roles: Iterable[Role], actor: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(sa.delete(member_role).where(member_role.c.member == who.id))
        await _write_roles(connection, who.id, _ordered(roles))
        await audit(connection, actor, "member.roles", f"member:{who.id}", roles=list(_ordered(roles)))


async def members(connection: AsyncConnection) -> list[Member]:
    """All of them, by name."""
    return await _read(connection, _MEMBERS)


async def member_by_id(connection: AsyncConnection, id_: UUID) -> Member:
    return _only(await _read(connection, _MEMBERS.where(member.c.id == id_)))


async def member_by_card(connection: AsyncConnection, uid: str) -> Member:
    """The member behind a card: theirs, or another that opens the same wallet."""
    card = await card_by_uid(connection, uid)
    return _only(await _read(connection, _MEMBERS.where(member.c.wallet == card.wallet)))


async def open_credit(engine: AsyncEngine, ledger: Ledger, who: Member, currency: Currency, policy: Policy) -> None:
    """Give a member the credit line that all have from the start, once: what was granted or taken since stays."""
    if policy.limits.floor >= 0:
        return
    async with ledger.reader.connect() as connection:
        row = sa.select(credit_start.c.member).where(
            credit_start.c.member == who.id, credit_start.c.currency == currency.code
        )
        if (await connection.execute(row)).one_or_none() is not None:
            return
    (wallet,) = await ledger.accounts([wallet_key(who.owner, currency)])
    insert = sqlite.insert if is_sqlite(engine) else postgresql.insert
    async with engine.begin() as connection:
        mark = insert(credit_start).values(member=who.id, currency=currency.code).on_conflict_do_nothing()
        if (await connection.execute(mark)).rowcount != 1:
            return
        floor = (await ledger.bounds(connection, [wallet]))[wallet].floor
        if floor is not None and floor > policy.limits.floor:
            await ledger.set_floor(connection, wallet, policy.limits.floor)


def _ordered(roles: Iterable[Role]) -> tuple[Role, ...]:
    chosen = set(roles)
    return tuple(it for it in ROLES if it in chosen)


async def _write_roles(connection: AsyncConnection, id_: UUID, roles: Sequence[Role]) -> None:
    if roles:
        await connection.execute(sa.insert(member_role), [{"member": id_, "role": it} for it in roles])


async def _read(connection: AsyncConnection, query: sa.Select[Any]) -> list[Member]:
    rows = (await connection.execute(query.order_by(member.c.name, member.c.id))).all()
    cards = await cards_by_uid(connection, {row.uid for row in rows})
    roles: dict[UUID, set[Role]] = {}
    chosen = sa.select(member_role).where(member_role.c.member.in_([row.id for row in rows]))
    for row in await connection.execute(chosen):
        roles.setdefault(row.member, set()).add(row.role)
    return [Member(row.id, row.name, _ordered(roles.get(row.id, ())), cards[row.uid], row.joined_at_us) for row in rows]


def _only(found: Sequence[Member]) -> Member:
    if not found:
        raise NotFound("This is not a member of the network.", "member-unknown")
    return found[0]
