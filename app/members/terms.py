"""Who is a member, of what and until when; and the register, as those who keep it correct it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity.audit import audit
from app.members.tables import member_plan, member_term
from app.platform.errors import Invalid, NotFound
from app.rules.business_day import business_day
from app.rules.membership import Period, Standing, standing
from app.venues.service import the_network

State = Literal["pending", "held", "cancelled"]

NAME_MAX: Final = 120
REASON_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class MemberTerm:
    """A row of the register. `id`: the operation's. `price` and `shares`: minor units of the plan's currency."""

    id: UUID
    plan: UUID
    wallet: UUID
    name: str
    email: str | None
    price: int
    shares: int
    period: Period
    state: State
    actor: str
    asked_at_us: int
    end_reason: str | None = None

    def standing(self, today: date) -> Standing:
        return standing(self.period, today)


async def is_member(
    connection: AsyncConnection, wallet: UUID, at_us: int, *, plan: UUID | None = None, venue: UUID | None = None
) -> bool:
    """Of the plan, or of any of the venue's plans, or (neither) of any of the network's own, at this instant."""
    day = business_day(at_us, (await the_network(connection)).settings.zone)
    query = (
        sa.select(member_term.c.id)
        .join(member_plan, member_plan.c.id == member_term.c.plan)
        .where(
            member_term.c.wallet == wallet,
            *valid_on(day),
            member_plan.c.id == plan if plan is not None else member_plan.c.venue.is_not_distinct_from(venue),
        )
    )
    return (await connection.execute(query.limit(1))).first() is not None


def valid_on(day: date) -> tuple[sa.ColumnElement[bool], ...]:
    """Of rows of member_term, those by which somebody is a member on this day."""
    return (member_term.c.state == "held", member_term.c.first_day <= day, member_term.c.last_day >= day)


async def terms_of_wallet(connection: AsyncConnection, wallet: UUID) -> list[MemberTerm]:
    """The latest first."""
    query = sa.select(member_term).where(member_term.c.wallet == wallet)
    return [_term(row) for row in await connection.execute(query.order_by(member_term.c.last_day.desc()))]


async def register(connection: AsyncConnection, plans: Collection[UUID]) -> list[MemberTerm]:
    """All of these plans, by name; what is under way is not in it yet."""
    query = sa.select(member_term).where(member_term.c.plan.in_(list(plans)), member_term.c.state != "pending")
    order = (sa.func.lower(member_term.c.name), member_term.c.last_day.desc(), member_term.c.id)
    return [_term(row) for row in await connection.execute(query.order_by(*order))]


async def term_named(connection: AsyncConnection, id_: UUID, *, locked: bool = False) -> MemberTerm:
    query = sa.select(member_term).where(member_term.c.id == id_, member_term.c.state != "pending")
    row = (await connection.execute(query.with_for_update() if locked else query)).one_or_none()
    if row is None:
        raise NotFound("There is no such membership.")
    return _term(row)


async def correct(connection: AsyncConnection, actor: str, term: MemberTerm, name: str, email: str | None) -> None:
    """How somebody is written. Raises Invalid(field="name")."""
    if not 0 < len(name) <= NAME_MAX:
        raise Invalid("A member has a name.", field="name")
    mine = member_term.c.id == term.id
    await connection.execute(sa.update(member_term).where(mine).values(name=name, email=email))
    await audit(connection, actor, "membership.correct", f"membership:{term.id}")


async def cancel(connection: AsyncConnection, actor: str, term: MemberTerm, reason: str) -> None:
    """They are no member by it any more. What was paid is another matter. Again changes nothing.

    Raises Invalid(field="reason")."""
    if not 0 < len(reason) <= REASON_MAX:
        raise Invalid("Say why.", field="reason")
    held = (member_term.c.id == term.id, member_term.c.state == "held")
    values = {"state": "cancelled", "ended_by": actor, "end_reason": reason}
    if (await connection.execute(sa.update(member_term).where(*held).values(values))).rowcount:
        await audit(connection, actor, "membership.cancel", f"membership:{term.id}", reason=reason)


def _term(row: Any) -> MemberTerm:
    return MemberTerm(
        row.id,
        row.plan,
        row.wallet,
        row.name,
        row.email,
        row.price,
        row.shares,
        Period(row.first_day, row.last_day),
        row.state,
        row.actor,
        row.asked_at_us,
        row.end_reason,
    )
