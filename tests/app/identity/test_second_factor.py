"""A second factor as it is kept: each code is taken once, wrong ones are counted, and nobody helps themselves."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.identity import invitations, second_factor, service
from app.identity.authenticator import WAITS_US, seal
from app.identity.roles import Grant, Principal, Role
from app.identity.second_factor import FRESH_US
from app.identity.tables import audit
from app.identity.tables import recovery_code as recovery_table
from app.identity.tables import second_factor as factor_table
from app.identity.tables import session as session_table
from app.platform.context import Context
from app.platform.errors import Conflict, DomainError, Forbidden, Invalid, NotSignedIn, TooManyRequests

from .conftest import PASSWORD, Clock
from .test_authenticator import SECRET

pytestmark = pytest.mark.anyio

BY = Principal(grants=frozenset({Grant(Role.NETWORK_ADMIN)}), person=UUID(int=7), name="Nadia")
# RFC 6238's seconds and codes: two steps that follow on each other.
FIRST_US, FIRST = 1_111_111_109_000_000, "081804"
NEXT_US, NEXT = 1_111_111_111_000_000, "050471"


async def live(context: Context, token: str) -> service.Session:
    found = await service.find_session(context, token)
    assert found is not None
    return found


async def signed_in(context: Context) -> service.Session:
    return await live(context, (await service.sign_in(context, "marie", PASSWORD)).token)


async def enrolled(context: Context, clock: Clock, session: service.Session) -> tuple[list[str], service.Session]:
    clock.now_us = FIRST_US
    codes, renewed = await second_factor.enrol(context, session, PASSWORD, SECRET, FIRST)
    return codes, await live(context, renewed.token)


async def refused(context: Context, session: service.Session, code: str) -> str:
    """The code's refusal; "" when it was taken."""
    try:
        await second_factor.confirm(context, session, code)
    except DomainError as error:
        return error.code
    return ""


def asked(session: service.Session, *, required: bool) -> str:
    try:
        second_factor.require(session, required=required)
    except DomainError as error:
        return error.code
    return ""


async def test_each_code_is_taken_once_also_at_once(context: Context, marie: UUID, turning_clock: Clock) -> None:
    turning_clock.now_us = FIRST_US
    others = [await signed_in(context) for _ in range(4)]
    recovery, session = await enrolled(context, turning_clock, others[0])
    assert await refused(context, session, FIRST) == "second-factor-wrong", "it was used to enrol"
    turning_clock.now_us = NEXT_US
    here = await asyncio.gather(*(refused(context, it, "050 471") for it in others[1:]))
    assert sorted(here) == ["", "second-factor-wrong", "second-factor-wrong"]
    assert await refused(context, session, FIRST) == "second-factor-wrong", "the clock's leave is no second use"
    more = [await signed_in(context) for _ in range(3)]
    here = await asyncio.gather(*(refused(context, it, recovery[0].lower()) for it in more))
    assert sorted(here) == ["", "second-factor-wrong", "second-factor-wrong"]
    async with context.reader.connect() as connection:
        factor = await second_factor.of_person(connection, marie)
        assert factor is not None
        assert factor.left == 9
        said = list((await connection.execute(sa.select(audit.c.action))).scalars())
        assert said.count("second-factor.recovery") == 1
        stored = repr((await connection.execute(sa.select(factor_table))).all())
        stored += repr((await connection.execute(sa.select(recovery_table))).all())
        stored += repr((await connection.execute(sa.select(audit))).all())
    assert SECRET not in stored
    assert not [it for it in recovery if it in stored or it.replace("-", "") in stored]


async def test_two_codes_at_once_leave_one_session_and_use_one(
    context: Context, marie: UUID, turning_clock: Clock
) -> None:
    recovery, session = await enrolled(context, turning_clock, await signed_in(context))
    results = await asyncio.gather(*(refused(context, session, it) for it in recovery[:3]))
    assert sorted(results) == ["", "not-signed-in", "not-signed-in"]
    async with context.reader.connect() as connection:
        factor = await second_factor.of_person(connection, marie)
        assert factor is not None
        assert factor.left == 9, "a code is not lost to a session that was gone"


async def test_after_wrong_codes_none_is_taken_for_a_while(context: Context, marie: UUID, turning_clock: Clock) -> None:
    recovery, session = await enrolled(context, turning_clock, await signed_in(context))
    turning_clock.now_us = NEXT_US
    results = await asyncio.gather(*(refused(context, session, f"00000{it}") for it in range(7)))
    assert sorted(results) == ["second-factor-wrong"] * 5 + ["too-many-requests"] * 2
    with pytest.raises(TooManyRequests) as caught:
        await second_factor.confirm(context, session, NEXT)
    assert caught.value.retry_after_s == WAITS_US[5] // 1_000_000
    # Who has recovery codes is not locked out by a thief's tries.
    renewed = await second_factor.confirm(context, session, recovery[0])
    session = await live(context, renewed.token)
    assert await refused(context, session, NEXT) == ""
    async with context.reader.connect() as connection:
        row = (await connection.execute(sa.select(factor_table))).one()
        assert (row.wrong, row.free_at_us) == (0, 0)
        locked = sa.select(audit.c.details).where(audit.c.action == "second-factor.locked")
        assert (await connection.execute(locked)).scalars().all() == ['{"tries": 5}']


async def test_a_locked_second_factor_opens_again_by_itself(
    context: Context, marie: UUID, turning_clock: Clock
) -> None:
    _, session = await enrolled(context, turning_clock, await signed_in(context))
    turning_clock.now_us = NEXT_US - WAITS_US[5]
    for it in range(5):
        assert await refused(context, session, f"00000{it}") == "second-factor-wrong"
    turning_clock.now_us = NEXT_US - 1
    assert await refused(context, session, NEXT) == "too-many-requests"
    turning_clock.now_us = NEXT_US
    assert await refused(context, session, NEXT) == ""


async def test_a_code_given_ends_the_name_under_which_the_session_was_known(
    context: Context, marie: UUID, turning_clock: Clock
) -> None:
    opened = await service.sign_in(context, "marie", PASSWORD)
    before = await live(context, opened.token)
    recovery, renewed = await enrolled(context, turning_clock, before)
    assert await service.find_session(context, opened.token) is None
    assert (renewed.csrf, renewed.created_at_us) == (before.csrf, before.created_at_us)
    assert len(await service.list_sessions(context, marie)) == 1
    turning_clock.now_us = NEXT_US
    after = await second_factor.confirm(context, renewed, NEXT)
    with pytest.raises(NotSignedIn):
        await second_factor.confirm(context, renewed, recovery[0])
    assert (await live(context, after.token)).second_factor_at_us == NEXT_US


async def test_a_session_is_trusted_for_twelve_hours_and_no_other(
    context: Context, marie: UUID, turning_clock: Clock
) -> None:
    turning_clock.now_us = FIRST_US
    other_token = (await service.sign_in(context, "marie", PASSWORD)).token
    first = await signed_in(context)
    assert asked(first, required=False) == ""
    assert asked(first, required=True) == "second-factor-missing"
    _, first = await enrolled(context, turning_clock, first)
    assert asked(first, required=True) == ""
    assert asked(await live(context, other_token), required=False) == "second-factor-needed"
    turning_clock.now_us += FRESH_US - 1
    assert asked(first, required=True) == ""
    turning_clock.now_us += 1
    assert asked(first, required=False) == "second-factor-needed"


async def test_nothing_is_set_up_without_the_password_or_a_code(
    context: Context, marie: UUID, turning_clock: Clock
) -> None:
    turning_clock.now_us = FIRST_US
    session = await signed_in(context)
    with pytest.raises(NotSignedIn):
        await second_factor.enrol(context, session, "not the password", SECRET, FIRST)
    with pytest.raises(Invalid):
        await second_factor.enrol(context, session, PASSWORD, SECRET, NEXT[::-1])
    async with context.reader.connect() as connection:
        assert await second_factor.of_person(connection, marie) is None
    assert await refused(context, session, FIRST) == "second-factor-wrong", "there is none yet"


async def test_setting_up_at_once_gives_one(context: Context, marie: UUID, turning_clock: Clock) -> None:
    turning_clock.now_us = FIRST_US
    sessions = [await signed_in(context) for _ in range(3)]

    async def one(session: service.Session) -> bool:
        try:
            await second_factor.enrol(context, session, PASSWORD, SECRET, FIRST)
        except Conflict:
            return False
        return True

    assert sorted(await asyncio.gather(*map(one, sessions))) == [False, False, True]
    async with context.reader.connect() as connection:
        assert len((await connection.execute(sa.select(recovery_table))).all()) == 10


async def test_another_takes_the_place_of_the_first_after_a_code_of_it(
    context: Context, marie: UUID, turning_clock: Clock
) -> None:
    turning_clock.now_us = FIRST_US
    other_token = (await service.sign_in(context, "marie", PASSWORD)).token
    recovery, session = await enrolled(context, turning_clock, await signed_in(context))
    turning_clock.now_us = NEXT_US
    with pytest.raises(Conflict):
        await second_factor.enrol(context, await live(context, other_token), PASSWORD, SECRET, NEXT)
    new = await second_factor.confirm(context, await live(context, other_token), recovery[0])
    codes, again = await second_factor.enrol(context, session, PASSWORD, SECRET, NEXT)
    assert asked(await live(context, new.token), required=False) == "second-factor-needed"
    session = await live(context, again.token)
    assert await refused(context, session, recovery[1]) == "second-factor-wrong"
    assert await refused(context, session, codes[0]) == ""


async def test_somebody_else_resets_it_and_another_is_set_up_before_money_moves(
    context: Context, marie: UUID, turning_clock: Clock
) -> None:
    recovery, session = await enrolled(context, turning_clock, await signed_in(context))
    weak = Principal(grants=frozenset({Grant(Role.CASHIER, UUID(int=1))}), person=UUID(int=8))
    async with context.engine.begin() as connection:
        for by in (Principal(grants=BY.grants, person=marie), weak):
            with pytest.raises(Forbidden):
                await second_factor.reset(connection, by, marie)
        await second_factor.reset(connection, BY, marie)
        assert await second_factor.of_person(connection, marie) is None
        told = await second_factor.last_reset(connection, marie)
        assert told is not None
        assert (told.actor, told.at_us) == (BY.actor, FIRST_US)
        assert not await second_factor.drop(connection, marie, actor="command line"), "once"
    turning_clock.now_us = NEXT_US
    for code in (NEXT, recovery[0]):
        assert await refused(context, session, code) == "second-factor-wrong"
    session = await signed_in(context)
    assert session.second_factor_reset
    assert asked(session, required=False) == "second-factor-missing", "a reset is no way around it"
    _, renewed = await second_factor.enrol(context, session, PASSWORD, SECRET, NEXT)
    assert asked(await live(context, renewed.token), required=True) == ""
    async with context.reader.connect() as connection:
        assert await second_factor.last_reset(connection, marie) is None


async def test_nobody_alone_gives_somebody_a_new_password_and_resets_their_second_factor(
    context: Context, marie: UUID, turning_clock: Clock
) -> None:
    await enrolled(context, turning_clock, await signed_in(context))

    async def link() -> None:
        async with context.engine.begin() as connection:
            await invitations.new_link(connection, BY, marie)

    async def reset() -> None:
        async with context.engine.begin() as connection:
            await second_factor.reset(connection, BY, marie)

    results = await asyncio.gather(link(), reset(), return_exceptions=True)
    assert sorted(getattr(it, "code", "done") for it in results) == ["done", "same-person"], results
    turning_clock.advance(hours=timedelta(days=7, hours=1) / timedelta(hours=1))
    await asyncio.gather(link(), return_exceptions=True)


async def test_another_token_key_opens_no_secret_and_recovery_codes_still_do(
    context: Context, marie: UUID, turning_clock: Clock
) -> None:
    recovery, session = await enrolled(context, turning_clock, await signed_in(context))
    async with context.engine.begin() as connection:
        await connection.execute(factor_table.update().values(sealed=seal(bytes(32), marie, SECRET)))
    turning_clock.now_us = NEXT_US
    assert await refused(context, session, NEXT) == "second-factor-wrong"
    assert await refused(context, session, recovery[0]) == ""


async def test_the_database_keeps_no_half_of_a_reset(context: Context, marie: UUID, turning_clock: Clock) -> None:
    await enrolled(context, turning_clock, await signed_in(context))
    for wrong in ({"sealed": None}, {"reset_at_us": 1}, {"wrong": -1}):
        with pytest.raises(sa.exc.IntegrityError):
            async with context.engine.begin() as connection:
                await connection.execute(factor_table.update().values(wrong))
    async with context.reader.connect() as connection:
        assert (await connection.execute(sa.select(session_table.c.second_factor_at_us))).scalars().all() == [FIRST_US]
