"""Who may let whom do what, and that the network never stands without an admin."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identity import granting, store
from app.identity.granting import may_grant, may_manage
from app.identity.rights import allows
from app.identity.roles import NETWORK_WIDE, PERSONAL, Grant, Principal, Role
from app.identity.staff import staff_at
from app.platform.errors import Conflict, Forbidden
from tests.support.network import PASSWORD, Network, both

pytestmark = pytest.mark.anyio

VENUES = [UUID(int=1), UUID(int=2)]
ALL = [Grant(role, None if role in NETWORK_WIDE else at) for role in sorted(PERSONAL) for at in VENUES]
grants = st.frozensets(st.sampled_from(ALL), max_size=4)
# What moves money or lets others in: nobody may hand it to somebody else without having it.
WEIGHTY = ["approve_settlement", "decide_bank_account", "grant_credit_line", "grant_role", "begin_settlement"]


@given(grants, st.sampled_from(ALL))
def test_nobody_grants_more_than_they_have(held: frozenset[Grant], new: Grant) -> None:
    by, other = Principal(grants=held), Principal(grants=frozenset({new}))
    if may_grant(by, new):
        assert [it for it in WEIGHTY if allows(other, it) and not allows(by, it)] == []
        assert new.venue is not None or by.sees_network
        assert new.venue is None or by.may_see_venue(new.venue)


@given(grants, grants)
def test_who_may_manage_somebody_could_grant_all_that_they_have(
    held: frozenset[Grant], others: frozenset[Grant]
) -> None:
    by = Principal(grants=held)
    if may_manage(by, others):
        assert all(may_grant(by, it) for it in others)


def test_readers_and_accountants_let_nobody_in() -> None:
    for role in (Role.NETWORK_ACCOUNTANT, Role.AUDITOR, Role.VENUE_ACCOUNTANT, Role.VENUE_AUDITOR, Role.CASHIER):
        by = Principal(grants=frozenset(it for it in ALL if it.role is role))
        assert not any(may_grant(by, it) for it in ALL)


@both
async def test_the_last_network_admin_stays(network: Network) -> None:
    nadia = await network.hired("nadia")
    by = Principal(grants=frozenset({Grant(Role.NETWORK_ADMIN)}), person=nadia)
    for act in (
        lambda connection: granting.withdraw(connection, by, nadia, Grant(Role.NETWORK_ADMIN)),
        lambda connection: granting.let_go(connection, by, nadia),
    ):
        with pytest.raises(Conflict) as refused:
            async with network.engine.begin() as connection:
                await act(connection)
        assert refused.value.code == "last-network-admin"


@both
async def test_of_two_admins_who_take_each_other_s_role_at_once_one_remains(network: Network) -> None:
    people = [await network.hired("nadia"), await network.hired("hugo")]
    admin = Grant(Role.NETWORK_ADMIN)
    by = [Principal(grants=frozenset({admin}), person=it) for it in people]
    async with network.engine.begin() as connection:
        await granting.grant(connection, by[0], people[1], admin)

    async def take(who: Principal, whose: UUID) -> str:
        try:
            async with network.engine.begin() as connection:
                await granting.withdraw(connection, who, whose, admin)
        except Conflict as error:
            return error.code
        return "done"

    told = await asyncio.gather(take(by[0], people[1]), take(by[1], people[0]))
    assert sorted(told) == ["done", "last-network-admin"]
    async with network.context.reader.connect() as connection:
        assert len(await store.network_admins(connection, lock=False)) == 1


@both
async def test_a_role_is_held_once(network: Network) -> None:
    nadia, lucas = await network.hired("nadia"), await network.hired("lucas")
    by = Principal(grants=frozenset({Grant(Role.NETWORK_ADMIN)}), person=nadia)
    for _ in range(2):
        async with network.engine.begin() as connection:
            await granting.grant(connection, by, lucas, Grant(Role.AUDITOR))
    async with network.context.reader.connect() as connection:
        assert len(await store.grants_held(connection, lucas)) == 2


async def test_who_has_left_signs_in_no_more_and_their_sessions_end(network: Network) -> None:
    lucas, nadia = await network.person("lucas"), await network.hired("nadia")
    assert (await lucas.get("/api/v1/me")).status_code == 200
    by = Principal(grants=frozenset({Grant(Role.NETWORK_ADMIN)}), person=nadia)
    async with network.engine.begin() as connection:
        await granting.let_go(connection, by, await network.hired("lucas"))
    assert (await lucas.get("/api/v1/me")).status_code == 401
    tried = await network.client.post("/api/v1/sessions", json={"login": "lucas", "password": PASSWORD})
    assert tried.status_code == 401


async def test_a_venue_s_admin_manages_nobody_of_the_network(network: Network) -> None:
    marie = Principal(grants=frozenset({Grant(Role.VENUE_ADMIN, network.venues["raffinerie"].id)}))
    hugo = await network.hired("hugo")
    with pytest.raises(Forbidden):
        async with network.engine.begin() as connection:
            await granting.let_go(connection, marie, hugo)


async def test_shift_managers_have_the_till_s_rights_of_an_evening(network: Network) -> None:
    venue = network.venues["raffinerie"].id
    for login, rights in (
        ("sana", {"sell", "top_up", "open_price", "void", "close", "train", "sold_out"}),
        ("bea", set()),
        ("hugo", set()),
    ):
        person = await network.hired(login)
        async with network.context.reader.connect() as connection:
            assert set((await staff_at(connection, venue, person)).rights) == rights
