"""One member, one vote: a question to the members of a plan, the roll of who may answer, and the counts.

The roll is drawn up of those who were members when it opened, by whoever looks first after that. A vote marks the
voter's row and raises a count, in one transaction. Of an anonymous vote nothing else is kept: no ballot, no time. All
counts are written at each vote, so that not even the database's own marks on rows tell which of them was raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity.audit import audit
from app.members.tables import consultation, consultation_option, consultation_voter, member_term
from app.members.terms import valid_on
from app.platform.clock import now_us
from app.platform.errors import Conflict, Forbidden, Invalid, NotFound
from app.rules.business_day import business_day
from app.venues.service import the_network

QUESTION_MAX: Final = 500
OPTION_MAX: Final = 120
OPTIONS_MAX: Final = 8


@dataclass(frozen=True, slots=True)
class Consultation:
    """`quorum`: percent of those `entitled` (None: it has not opened, or nobody has looked yet)."""

    id: UUID
    plan: UUID
    question: str
    anonymous: bool
    quorum: int
    opens_at_us: int
    closes_at_us: int
    entitled: int | None = None

    def open(self, at_us: int) -> bool:
        return self.opens_at_us <= at_us < self.closes_at_us

    def over(self, at_us: int) -> bool:
        return self.closes_at_us <= at_us


@dataclass(frozen=True, slots=True)
class Outcome:
    """`options`: (words, votes). `reached`: whether so many voted as the quorum asks for."""

    options: tuple[tuple[str, int], ...]
    voted: int
    entitled: int
    quorum: int

    @property
    def turnout(self) -> int:
        """Percent, rounded down: a quorum that is missed is not told as reached."""
        return self.voted * 100 // self.entitled if self.entitled else 0

    @property
    def reached(self) -> bool:
        return self.voted > 0 and self.voted * 100 >= self.quorum * self.entitled


async def ask(connection: AsyncConnection, actor: str, new: Consultation, options: Sequence[str]) -> None:
    """The same id again changes nothing. Raises Invalid with the `field` that is not right."""
    if not 0 < len(new.question) <= QUESTION_MAX:
        raise Invalid("A consultation has a question.", field="question")
    if not 2 <= len(options) <= OPTIONS_MAX or len(set(options)) != len(options):
        raise Invalid("It has two answers or more, all different.", field="options")
    if any(not 0 < len(it) <= OPTION_MAX for it in options):
        raise Invalid("An answer is too long.", field="options")
    if new.closes_at_us <= max(new.opens_at_us, now_us()):
        raise Invalid("It closes after it opens, and not in the past.", field="closes")
    if not 0 <= new.quorum <= 100:
        raise Invalid("A quorum is a share of the members.", field="quorum")
    if (await connection.execute(sa.select(consultation.c.id).where(consultation.c.id == new.id))).first():
        return
    values = {
        "id": new.id,
        "plan": new.plan,
        "question": new.question,
        "anonymous": new.anonymous,
        "quorum": new.quorum,
        "opens_at_us": new.opens_at_us,
        "closes_at_us": new.closes_at_us,
    }
    await connection.execute(sa.insert(consultation).values(values))
    rows = [{"consultation": new.id, "position": at, "words": words} for at, words in enumerate(options)]
    await connection.execute(sa.insert(consultation_option), rows)
    await audit(connection, actor, "consultation.ask", f"consultation:{new.id}")


async def named(connection: AsyncConnection, id_: UUID) -> Consultation:
    row = (await connection.execute(sa.select(consultation).where(consultation.c.id == id_))).one_or_none()
    if row is None:
        raise NotFound("There is no such consultation.")
    return Consultation(**row._mapping)


async def of_plans(connection: AsyncConnection, plans: Sequence[UUID]) -> list[Consultation]:
    """The newest first."""
    query = sa.select(consultation).where(consultation.c.plan.in_(list(plans)))
    rows = await connection.execute(query.order_by(consultation.c.opens_at_us.desc(), consultation.c.id))
    return [Consultation(**row._mapping) for row in rows]


async def draw_up_rolls(connection: AsyncConnection) -> None:
    """Of what has opened meanwhile, in the caller's transaction: who is on each roll, once and for all."""
    due = sa.select(consultation).where(consultation.c.entitled.is_(None), consultation.c.opens_at_us <= now_us())
    rows = [Consultation(**row._mapping) for row in await connection.execute(due)]
    zone = (await the_network(connection)).settings.zone if rows else ""
    for it in rows:
        first = sa.update(consultation).where(consultation.c.id == it.id, consultation.c.entitled.is_(None))
        if not (await connection.execute(first.values(entitled=0))).rowcount:
            continue
        day = business_day(it.opens_at_us, zone)
        then = (*valid_on(day), member_term.c.plan == it.plan, member_term.c.asked_at_us <= it.opens_at_us)
        wallets = list((await connection.execute(sa.select(member_term.c.wallet).where(*then).distinct())).scalars())
        if wallets:
            voters = [{"consultation": it.id, "wallet": wallet} for wallet in sorted(wallets)]
            await connection.execute(sa.insert(consultation_voter), voters)
        mine = consultation.c.id == it.id
        await connection.execute(sa.update(consultation).where(mine).values(entitled=len(wallets)))


async def on_roll(connection: AsyncConnection, wallet: UUID) -> dict[UUID, bool]:
    """What a wallet may vote on, or might: whether it has."""
    query = sa.select(consultation_voter.c.consultation, consultation_voter.c.voted)
    rows = await connection.execute(query.where(consultation_voter.c.wallet == wallet))
    return {row.consultation: row.voted for row in rows}


async def options(connection: AsyncConnection, id_: UUID) -> list[str]:
    query = sa.select(consultation_option.c.words).where(consultation_option.c.consultation == id_)
    return list((await connection.execute(query.order_by(consultation_option.c.position))).scalars())


async def vote(connection: AsyncConnection, it: Consultation, wallet: UUID, choice: int) -> None:
    """In the caller's transaction. The caller knows that whoever votes is the wallet's holder.

    Raises Conflict("consultation-closed" or "voted"), Forbidden("not-entitled"), Invalid(field="choice")."""
    if not it.open(now_us()):
        raise Conflict("It is not open now.", "consultation-closed")
    if not 0 <= choice < len(await options(connection, it.id)):
        raise Invalid("Choose one of the answers.", field="choice")
    mine = (consultation_voter.c.consultation == it.id, consultation_voter.c.wallet == wallet)
    values: dict[str, Any] = {"voted": True, "choice": None if it.anonymous else choice}
    marked = sa.update(consultation_voter).where(*mine, consultation_voter.c.voted.is_(False)).values(values)
    if not (await connection.execute(marked)).rowcount:
        if (await connection.execute(sa.select(consultation_voter.c.voted).where(*mine))).first() is None:
            raise Forbidden("Who was a member when it opened votes.", "not-entitled")
        raise Conflict("This member has voted.", "voted")
    counted = sa.case((consultation_option.c.position == choice, 1), else_=0)
    every = sa.update(consultation_option).where(consultation_option.c.consultation == it.id)
    await connection.execute(every.values(votes=consultation_option.c.votes + counted))


async def outcome(connection: AsyncConnection, it: Consultation) -> Outcome:
    """Raises Conflict("consultation-open"): before the end nobody is told, or votes could be told apart."""
    if not it.over(now_us()):
        raise Conflict("It is not over yet.", "consultation-open")
    query = sa.select(consultation_option).where(consultation_option.c.consultation == it.id)
    rows = (await connection.execute(query.order_by(consultation_option.c.position))).all()
    told = tuple((row.words, row.votes) for row in rows)
    return Outcome(told, sum(votes for _, votes in told), it.entitled or 0, it.quorum)


async def votes_by_name(connection: AsyncConnection, it: Consultation) -> list[tuple[str, str]]:
    """(a member's name, their answer) of a named consultation that is over."""
    if it.anonymous or not it.over(now_us()):
        return []
    voter, option = consultation_voter, consultation_option
    # Of several terms of one member, any one has the name.
    name = sa.select(sa.func.max(member_term.c.name)).where(
        member_term.c.wallet == voter.c.wallet, member_term.c.plan == it.plan
    )
    query = (
        sa.select(name.scalar_subquery().label("name"), option.c.words)
        .select_from(voter)
        .join(
            option,
            sa.and_(option.c.consultation == voter.c.consultation, option.c.position == voter.c.choice),
        )
        .where(voter.c.consultation == it.id)
    )
    return sorted((row.name or "", row.words) for row in await connection.execute(query))
