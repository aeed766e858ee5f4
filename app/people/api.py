"""People and their roles, for programs of those who manage them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity import granting, invitations, people, store
from app.identity.guard import Caller
from app.identity.roles import Grant, Role
from app.platform.context import context_of
from app.platform.errors import Invalid, NotFound
from app.wire.base import CardUid

router = APIRouter(prefix="/api/v1", tags=["identity"])

Login = Annotated[str, Field(max_length=64, examples=["marie"])]


class GrantForm(BaseModel):
    """`venue`: null for a role in the whole network."""

    model_config = ConfigDict(extra="forbid")

    role: Role
    venue: UUID | None = None

    def checked(self) -> Grant:
        return _grant(self.role, self.venue)


class NewPerson(GrantForm):
    login: Login
    name: Annotated[str, Field(max_length=80)]


class StaffCard(BaseModel):
    """`card`: the number of its chip, upper-case hexadecimal; null: none."""

    model_config = ConfigDict(extra="forbid")

    card: CardUid | None


class RoleShown(BaseModel):
    role: str
    venue: UUID | None


class PersonShown(BaseModel):
    """`active`: false once they have left."""

    person: UUID
    login: str
    name: str
    active: bool
    grants: list[RoleShown]


class LinkShown(BaseModel):
    """`address`: where they choose their password, told this once. `expires_at_us`: microseconds since the epoch."""

    person: UUID
    address: str
    expires_at_us: int


@router.get("/people", summary="Who works here, and what they may do")
async def list_people(request: Request, caller: Caller) -> list[PersonShown]:
    """Everybody for who sees the network, else those who have a role at one's own venues."""
    async with context_of(request).reader.connect() as connection:
        found: dict[UUID, list[store.Row]] = {}
        for row in await store.everybody(connection):
            found.setdefault(row.id, []).append(row)
    return [
        PersonShown(
            person=id_,
            login=rows[0].login,
            name=rows[0].name,
            active=rows[0].active,
            grants=[RoleShown(role=row.role, venue=row.venue) for row in rows if row.role is not None],
        )
        for id_, rows in found.items()
        if caller.sees_network or any(row.venue in caller.venues for row in rows)
    ]


@router.post("/people", status_code=201, summary="Invite somebody, with their first role")
async def invite_person(request: Request, caller: Caller, body: NewPerson) -> LinkShown:
    """They choose a password behind the link. 403 `not-yours-to-grant`, 409 `login-taken`."""
    async with context_of(request).engine.begin() as connection:
        return _shown(request, await invitations.invite(connection, caller, body.login, body.name, body.checked()))


@router.post("/people/{login}/link", status_code=201, summary="A new link to choose a password")
async def make_link(request: Request, caller: Caller, login: str) -> LinkShown:
    """Earlier links are void; the present password holds until the link is used."""
    async with context_of(request).engine.begin() as connection:
        return _shown(request, await invitations.new_link(connection, caller, await _named(connection, login)))


@router.post("/people/{login}/grants", status_code=204, summary="Grant a role")
async def grant_role(request: Request, caller: Caller, login: str, body: GrantForm) -> None:
    """A role that they have already stays. 403 `not-yours-to-grant`."""
    async with context_of(request).engine.begin() as connection:
        await granting.grant(connection, caller, await _named(connection, login), body.checked())


@router.delete("/people/{login}/grants/{role}", status_code=204, summary="Withdraw a role")
async def withdraw_role(
    request: Request, caller: Caller, login: str, role: Role, venue: Annotated[UUID | None, Query()] = None
) -> None:
    """Open sessions lose it with their next request. 409 `last-network-admin`."""
    async with context_of(request).engine.begin() as connection:
        await granting.withdraw(connection, caller, await _named(connection, login), _grant(role, venue))


@router.put("/people/{login}/card", status_code=204, summary="Give somebody a staff card, or take it away")
async def set_staff_card(request: Request, caller: Caller, login: str, body: StaffCard) -> None:
    """With it on the reader, their PIN alone is asked for; a network may want it always (setting `pin_only`).

    403 `not-yours-to-grant`, 409 `card-exists`.
    """
    async with context_of(request).engine.begin() as connection:
        await granting.set_card(connection, caller, await _named(connection, login), body.card)


def _grant(role: Role, venue: UUID | None) -> Grant:
    try:
        return Grant(role, venue)
    except ValueError as error:
        raise Invalid(f"{error}.".capitalize()) from error


async def _named(connection: AsyncConnection, login: str) -> UUID:
    found = await store.person_by_login(connection, people.normal_login(login))
    if found is None:
        raise NotFound(f"Nobody signs in as {login}.")
    id_: UUID = found.id
    return id_


def _shown(request: Request, link: invitations.Link) -> LinkShown:
    address = f"{context_of(request).settings.base_url.rstrip('/')}/welcome/{link.token}"
    return LinkShown(person=link.person, address=address, expires_at_us=link.expires_at_us)
