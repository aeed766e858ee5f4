"""The second factor of who moves money or lets others in: an authenticator's codes, or recovery codes, each taken once.

`second_factor` has a row for each person who ever set one up; one that was reset has no secret, and its person sets up
another before they may do again what asks for it. Errors: Invalid("second-factor-wrong"), TooManyRequests, Conflict,
Forbidden("second-factor-missing", "second-factor-needed", "same-person", "not-yours-to-grant").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity import authenticator, service, store
from app.identity.audit import Noted, audit, last_about
from app.identity.granting import require_managing
from app.identity.invitations import require_two_for_access
from app.identity.roles import Principal
from app.identity.service import NewSession, Session
from app.identity.tables import recovery_code, second_factor, session
from app.platform import clock
from app.platform.context import Context
from app.platform.errors import Conflict, DomainError, Forbidden, Invalid, TooManyRequests
from app.platform.limits import RateLimit

log = structlog.get_logger(__name__)

PER_PERSON: Final = RateLimit("second-factor", "20/minute")
# How long a session is trusted after a code.
FRESH_US: Final = 12 * 3600 * 1_000_000

_WRONG = "This code is not right, or was used already. Wait for the next one."
_RESET = "second-factor.reset"


@dataclass(frozen=True, slots=True)
class Factor:
    """`since_us`: when it was set up. `left`: recovery codes that were not used."""

    since_us: int
    left: int


def trusted_until_us(it: Session) -> int | None:
    """Until when the session does what asks for a code; None: it asks for one now."""
    given = it.second_factor_at_us
    if not it.enrolled or given is None or clock.now_us() - given >= FRESH_US:
        return None
    return given + FRESH_US


def require(it: Session, *, required: bool) -> None:
    """Raises Forbidden unless a code was given in this session within FRESH_US; whoever never set a second factor up
    needs one only where the server says so (`required`)."""
    if not it.enrolled:
        if required or it.second_factor_reset:
            raise Forbidden("Set up a second factor at /second-factor first.", "second-factor-missing")
        return
    if trusted_until_us(it) is None:
        raise Forbidden(
            "Give a code of your authenticator first: POST /api/v1/sessions/current/second-factor.",
            "second-factor-needed",
        )


async def of_person(connection: AsyncConnection, person: UUID) -> Factor | None:
    query = sa.select(second_factor.c.since_us).where(_of(person), second_factor.c.sealed.is_not(None))
    since_us = (await connection.execute(query)).scalar_one_or_none()
    if since_us is None:
        return None
    unused = (recovery_code.c.person == person) & recovery_code.c.used_at_us.is_(None)
    left = (await connection.execute(sa.select(sa.func.count()).where(unused))).scalar_one()
    return Factor(since_us, left)


async def enrol(context: Context, by: Session, password: str, secret: str, code: str) -> tuple[list[str], NewSession]:
    """Takes the secret once a code proves that the authenticator has it: the recovery codes, told this once, and the
    session that is trusted from now on in place of `by`.

    Whoever has one already replaces it in a session that is trusted, and no other is trusted then. Raises
    NotSignedIn("wrong-credentials") too: a session that was left open sets nothing up.
    """
    await service.check_own_password(context, by, password)
    step = authenticator.matching_step(secret, code, clock.now_us())
    if step is None:
        raise Invalid(_WRONG, "second-factor-wrong")
    codes = [authenticator.new_recovery_code() for _ in range(authenticator.RECOVERY_CODES)]
    async with context.engine.begin() as connection:
        row = await _locked(connection, by.person)
        replaced = row is not None and row.sealed is not None
        if replaced and trusted_until_us(by) is None:
            raise Conflict("There is a second factor already: give a code of it first.")
        values = {
            "sealed": authenticator.seal(context.keys.token, by.person, secret),
            "last_step": step,
            "since_us": clock.now_us(),
            "wrong": 0,
            "free_at_us": 0,
            "reset_at_us": None,
        }
        if row is None:
            try:
                await connection.execute(second_factor.insert(), {"person": by.person, **values})
            except sa.exc.IntegrityError as error:
                raise Conflict("A second factor was set up elsewhere in this very moment.") from error
        else:
            await connection.execute(second_factor.update().where(_of(by.person)).values(values))
        await connection.execute(recovery_code.delete().where(recovery_code.c.person == by.person))
        await connection.execute(
            recovery_code.insert(),
            [{"code_sha256": authenticator.recovery_sha256(by.person, it), "person": by.person} for it in codes],
        )
        await _distrust(connection, by.person)
        renewed = await service.renew(connection, by)
        await audit(connection, by.principal.actor, "second-factor.enrol", by.principal.actor, replaced=replaced)
    return codes, renewed


async def confirm(context: Context, by: Session, code: str) -> NewSession:
    """Takes a code of the authenticator, or a recovery code: the session that is trusted for FRESH_US in place of `by`,
    so that nobody who knew its token before is trusted with it."""
    async with context.engine.begin() as connection:
        row = await _locked(connection, by.person)
        refused = await _use(context, connection, by, row, code)
        if refused is None:
            return await service.renew(connection, by)
    # After the transaction has ended: wrong codes are counted.
    raise refused


async def reset(connection: AsyncConnection, by: Principal, person: UUID) -> None:
    """For a lost telephone, by somebody else."""
    if by.person == person:
        raise Forbidden("Somebody else resets your second factor.", "same-person")
    require_managing(by, await store.grants_held(connection, person))
    await require_two_for_access(connection, by.actor, person, "person.link")
    await drop(connection, person, actor=by.actor)


async def drop(connection: AsyncConnection, person: UUID, *, actor: str) -> bool:
    """Whether there was one to take away. No session of theirs is trusted any more."""
    await connection.execute(recovery_code.delete().where(recovery_code.c.person == person))
    gone = {"sealed": None, "reset_at_us": clock.now_us()}
    found = await connection.execute(
        second_factor.update().where(_of(person), second_factor.c.sealed.is_not(None)).values(gone)
    )
    if found.rowcount == 0:
        return False
    await _distrust(connection, person)
    await audit(connection, actor, _RESET, f"person:{person}")
    return True


async def last_reset(connection: AsyncConnection, person: UUID) -> Noted | None:
    """Who took it away, and when; None once there is another."""
    if await of_person(connection, person) is not None:
        return None
    return await last_about(connection, _RESET, f"person:{person}")


async def _use(
    context: Context, connection: AsyncConnection, by: Session, row: sa.Row[Any] | None, code: str
) -> DomainError | None:
    """Takes the code; else why not."""
    wrong, now = Invalid(_WRONG, "second-factor-wrong"), clock.now_us()
    if row is None or row.sealed is None:
        return wrong
    if authenticator.is_recovery_code(code):
        # Not to be guessed, so they are never made to wait for: the way in for whom a thief's tries have locked out.
        mine = recovery_code.c.code_sha256 == authenticator.recovery_sha256(by.person, code)
        unused = mine & recovery_code.c.used_at_us.is_(None)
        if (await connection.execute(recovery_code.update().where(unused).values(used_at_us=now))).rowcount == 0:
            return wrong
        await audit(connection, by.principal.actor, "second-factor.recovery", by.principal.actor)
        await connection.execute(second_factor.update().where(_of(by.person)).values(wrong=0, free_at_us=0))
        return None
    if row.free_at_us > now:
        return TooManyRequests(-((now - row.free_at_us) // 1_000_000))
    secret = authenticator.unseal(context.keys.token, by.person, row.sealed)
    if secret is None:
        log.error("a second factor was sealed with another token key: reset it", login=by.login)
    step = None if secret is None else authenticator.matching_step(secret, code, now)
    if step is not None:
        # One statement: of two requests with the same code, one finds the step taken.
        newer = _of(by.person) & (second_factor.c.last_step < step)
        taken = second_factor.update().where(newer).values(last_step=step, wrong=0, free_at_us=0)
        if (await connection.execute(taken)).rowcount == 1:
            await audit(connection, by.principal.actor, "second-factor.confirm", by.principal.actor)
            return None
    tried = {"wrong": row.wrong + 1, "free_at_us": now + authenticator.wait_us(row.wrong + 1)}
    await connection.execute(second_factor.update().where(_of(by.person)).values(tried))
    if authenticator.wait_us(row.wrong + 1):
        await audit(connection, by.principal.actor, "second-factor.locked", by.principal.actor, tries=row.wrong + 1)
    return wrong


async def _locked(connection: AsyncConnection, person: UUID) -> sa.Row[Any] | None:
    """Until the end of the transaction, so that tries at once are counted one after another."""
    return (await connection.execute(sa.select(second_factor).where(_of(person)).with_for_update())).one_or_none()


async def _distrust(connection: AsyncConnection, person: UUID) -> None:
    await connection.execute(session.update().where(session.c.person == person).values(second_factor_at_us=None))


def _of(person: UUID) -> sa.ColumnElement[bool]:
    return second_factor.c.person == person
