"""People, passwords and sessions, on both databases."""

from __future__ import annotations

import asyncio
import json
import time
from uuid import UUID

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from app.identity import passwords, service
from app.identity.roles import Grant, Role
from app.identity.tables import audit, person, session
from app.platform.context import Context
from app.platform.errors import Conflict, DomainError, Invalid, NotFound, NotSignedIn

from .conftest import GUINGUETTE, PASSWORD, RAFFINERIE, Clock

pytestmark = pytest.mark.anyio


async def rows(context: Context, statement: sa.Select[tuple[object, ...]]) -> list[sa.Row[tuple[object, ...]]]:
    async with context.reader.connect() as connection:
        return list((await connection.execute(statement)).all())


async def open_session(context: Context, login: str = "marie", password: str = PASSWORD) -> service.Session:
    opened = await service.sign_in(context, login, password)
    found = await service.find_session(context, opened.token)
    assert found is not None
    return found


async def test_a_person_signs_in_and_is_found_again_with_name_and_grants(context: Context, marie: UUID) -> None:
    found = await open_session(context)
    assert (found.person, found.name, found.login) == (marie, "Marie Curie", "marie")
    assert found.grants == {Grant(Role.VENUE_ADMIN, GUINGUETTE), Grant(Role.CASHIER, RAFFINERIE)}
    assert found.principal.actor == f"person:{marie}"


async def test_neither_password_nor_pin_nor_token_is_in_the_database(context: Context, marie: UUID) -> None:
    opened = await service.sign_in(context, "marie", PASSWORD)
    everything = str([await rows(context, sa.select(table)) for table in (person, session, audit)])
    assert all(secret not in everything for secret in (PASSWORD, "4711", opened.token))
    [(kept,)] = await rows(context, sa.select(session.c.token_sha256))
    assert isinstance(kept, bytes)
    assert len(kept) == 32


@pytest.mark.parametrize("login", ["Marie", " marie ", "MARIE"])
async def test_logins_do_not_mind_capitals_or_spaces_around(context: Context, marie: UUID, login: str) -> None:
    assert (await service.sign_in(context, login, PASSWORD)).person == marie


async def test_composed_and_decomposed_accents_are_one_password(context: Context, marie: UUID) -> None:
    assert (await service.sign_in(context, "marie", "un ve\u0301lo sous la pluie")).person == marie


@pytest.mark.parametrize(
    ("login", "password"),
    [("marie", "wrong password"), ("nobody", PASSWORD), ("", ""), ("marie", ""), ("marie\x00", PASSWORD + "x")],
)
async def test_wrong_login_and_wrong_password_are_told_alike(
    context: Context, marie: UUID, login: str, password: str
) -> None:
    with pytest.raises(NotSignedIn) as error:
        await service.sign_in(context, login.replace("\x00", ""), password)
    assert (error.value.code, error.value.detail) == ("wrong-credentials", "Login or password is not right.")


async def test_somebody_who_left_is_told_the_same_and_their_sessions_end(context: Context, marie: UUID) -> None:
    opened = await service.sign_in(context, "marie", PASSWORD)
    async with context.engine.begin() as connection:
        await connection.execute(person.update().values(active=False))
    with pytest.raises(NotSignedIn, match="Login or password"):
        await service.sign_in(context, "marie", PASSWORD)
    assert await service.find_session(context, opened.token) is None


async def test_an_unknown_login_costs_as_much_work_as_a_wrong_password(
    context: Context, marie: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> bool:
            verified.append(str(hash).rsplit("$", 2)[0])
            return super().verify(hash, password)

    monkeypatch.setattr(passwords, "_hasher", Counting(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobody.cache_clear()
    for login in ("marie", "nobody"):
        with pytest.raises(NotSignedIn):
            await service.sign_in(context, login, "wrong password")
    assert len(verified) == 2
    assert verified[0] == verified[1]  # the same parameters, so the same time


async def test_hashing_leaves_the_event_loop_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher())
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    began_s = time.perf_counter()
    await passwords.hash_secret(PASSWORD)
    took_s = time.perf_counter() - began_s
    counting.cancel()
    assert turns > 10, f"{turns} turns in {took_s:.3f} s"


async def test_a_hash_made_with_weaker_parameters_is_renewed_at_sign_in(
    context: Context, marie: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    [(before,)] = await rows(context, sa.select(person.c.password_hash))
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    await service.sign_in(context, "marie", PASSWORD)
    [(after,)] = await rows(context, sa.select(person.c.password_hash))
    assert after != before
    assert "m=16,t=2" in str(after)
    await service.sign_in(context, "marie", PASSWORD)
    assert await rows(context, sa.select(person.c.password_hash)) == [(after,)]


class TestCreating:
    async def test_a_login_is_given_once(self, context: Context, marie: UUID) -> None:
        with pytest.raises(Conflict) as error:
            await service.create_person(context, "Marie", "Another", PASSWORD, actor="test")
        assert error.value.code == "login-taken"

    @pytest.mark.parametrize("login", ["", "x", "é", "marie curie", "-marie", "m" * 65, "marie\n"])
    async def test_a_login_is_plain(self, context: Context, login: str) -> None:
        if login.strip() != login:
            assert service.normal_login(login) == "marie"
            return
        with pytest.raises(Invalid):
            await service.create_person(context, login, "Name", PASSWORD, actor="test")

    @pytest.mark.parametrize(
        "given",
        [
            {"name": " "},
            {"name": "n" * 81},
            {"password": "too short"},
            {"password": "p" * 257},
            {"pin": "123"},
            {"pin": "123456789"},
            {"pin": "12a4"},
            {"pin": "١٢٣٤"},
        ],
    )
    async def test_what_cannot_be_is_refused_before_anything_is_written(
        self, context: Context, given: dict[str, str]
    ) -> None:
        values = {"name": "Name", "password": PASSWORD} | given
        with pytest.raises(Invalid):
            await service.create_person(context, "jean", **values, actor="test")
        assert await rows(context, sa.select(person)) == []

    async def test_the_audit_log_tells_who_made_whom_with_which_rights(self, context: Context, marie: UUID) -> None:
        [entry] = await rows(context, sa.select(audit))
        assert (entry.actor, entry.action, entry.subject) == ("test", "person.create", f"person:{marie}")
        assert json.loads(entry.details) == {
            "login": "marie",
            "grants": [f"cashier@{RAFFINERIE}", f"venue_admin@{GUINGUETTE}"],
        }

    async def test_a_pin_is_hashed_as_terminals_check_it(self, context: Context, marie: UUID) -> None:
        [(pin_hash,)] = await rows(context, sa.select(person.c.pin_hash))
        assert str(pin_hash).startswith("$argon2id$")
        assert PasswordHasher().verify(str(pin_hash), "4711")


class TestSessions:
    @pytest.mark.parametrize("token", ["", "x", "é", "a" * 43])
    async def test_a_token_that_nobody_was_given_opens_nothing(self, context: Context, token: str) -> None:
        assert await service.find_session(context, token) is None

    async def test_a_session_s_id_does_not_open_it(self, context: Context, marie: UUID) -> None:
        assert await service.find_session(context, (await open_session(context)).id) is None

    async def test_signing_in_again_ends_the_session_of_that_browser(self, context: Context, marie: UUID) -> None:
        first = await service.sign_in(context, "marie", PASSWORD)
        second = await service.sign_in(context, "marie", PASSWORD, previous_token=first.token)
        assert first.token != second.token
        assert first.csrf != second.csrf
        assert await service.find_session(context, first.token) is None
        assert await service.find_session(context, second.token) is not None

    async def test_twelve_hours_without_use_end_it(self, context: Context, marie: UUID, turning_clock: Clock) -> None:
        opened = await service.sign_in(context, "marie", PASSWORD)
        turning_clock.advance(hours=11.9)
        assert await service.find_session(context, opened.token) is not None
        turning_clock.advance(hours=11.9)
        assert await service.find_session(context, opened.token) is not None
        turning_clock.advance(hours=12.1)
        assert await service.find_session(context, opened.token) is None

    async def test_seven_days_end_it_whatever_its_use(
        self, context: Context, marie: UUID, turning_clock: Clock
    ) -> None:
        opened = await service.sign_in(context, "marie", PASSWORD)
        for _ in range(16):
            turning_clock.advance(hours=10)
            assert await service.find_session(context, opened.token) is not None
        turning_clock.advance(hours=10)
        assert await service.find_session(context, opened.token) is None

    async def test_looking_at_pages_seldom_writes(self, context: Context, marie: UUID, turning_clock: Clock) -> None:
        opened = await service.sign_in(context, "marie", PASSWORD)
        began_us = turning_clock.now_us
        seen = []
        for _ in range(3):
            turning_clock.advance(hours=0.05)
            await service.find_session(context, opened.token)
            [(at_us,)] = await rows(context, sa.select(session.c.seen_at_us))
            seen.append(round((int(str(at_us)) - began_us) / 60e6))
        assert seen == [0, 6, 6]

    async def test_ended_sessions_are_swept_away_at_the_next_sign_in(
        self, context: Context, marie: UUID, turning_clock: Clock
    ) -> None:
        await service.sign_in(context, "marie", PASSWORD)
        turning_clock.advance(hours=13)
        await service.sign_in(context, "marie", PASSWORD)
        assert len(await rows(context, sa.select(session))) == 1

    async def test_signing_out_ends_this_session_and_no_other(self, context: Context, marie: UUID) -> None:
        staying = await service.sign_in(context, "marie", PASSWORD)
        leaving = await open_session(context)
        await service.sign_out(context, leaving)
        assert await service.find_session(context, staying.token) is not None
        assert [one.id for one in await service.list_sessions(context, marie)] != [leaving.id]

    async def test_a_person_lists_their_sessions_and_ends_one(
        self, context: Context, marie: UUID, turning_clock: Clock
    ) -> None:
        await service.sign_in(context, "marie", PASSWORD, "Firefox" * 100)
        turning_clock.advance(hours=1)
        here = await open_session(context)
        listed = await service.list_sessions(context, marie)
        assert [one.id == here.id for one in listed] == [True, False]
        assert len(listed[1].user_agent) == 200
        await service.revoke_session(context, here, listed[1].id)
        assert [one.id for one in await service.list_sessions(context, marie)] == [here.id]

    async def test_nobody_ends_another_s_session(self, context: Context, marie: UUID) -> None:
        await service.create_person(context, "jean", "Jean", PASSWORD, actor="test")
        hers, his = await open_session(context), await open_session(context, "jean")
        for session_id in (hers.id, "00", "not hexadecimal"):
            with pytest.raises(NotFound):
                await service.revoke_session(context, his, session_id)
        assert len(await service.list_sessions(context, marie)) == 1


class TestChangingPassword:
    async def test_the_new_one_counts_and_all_other_sessions_end(self, context: Context, marie: UUID) -> None:
        elsewhere = await service.sign_in(context, "marie", PASSWORD)
        here = await open_session(context)
        await service.change_password(context, here, PASSWORD, "another good password")
        assert await service.find_session(context, elsewhere.token) is None
        assert [one.id for one in await service.list_sessions(context, marie)] == [here.id]
        with pytest.raises(NotSignedIn):
            await service.sign_in(context, "marie", PASSWORD)
        await service.sign_in(context, "marie", "another good password")

    @pytest.mark.parametrize(("current", "new"), [("wrong password", "another good password"), (PASSWORD, "short")])
    async def test_nothing_changes_when_it_is_refused(
        self, context: Context, marie: UUID, current: str, new: str
    ) -> None:
        here = await open_session(context)
        with pytest.raises(DomainError):
            await service.change_password(context, here, current, new)
        await service.sign_in(context, "marie", PASSWORD)

    async def test_of_two_changes_at_once_one_is_told_that_it_came_late(self, context: Context, marie: UUID) -> None:
        here = await open_session(context)
        changes = [service.change_password(context, here, PASSWORD, f"password number {n}") for n in range(2)]
        outcomes = await asyncio.gather(*changes, return_exceptions=True)
        assert sorted(type(outcome).__name__ for outcome in outcomes) in (
            ["Conflict", "NoneType"],
            ["NoneType", "NotSignedIn"],
        )
