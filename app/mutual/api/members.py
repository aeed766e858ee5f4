"""Members: who they are, what they hold and owe, and what happened on their accounts."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from app.currencies.service import currencies
from app.identity.guard import Caller
from app.ledger.service import ledger_of
from app.mutual import books
from app.mutual.api.shapes import Body, Name
from app.mutual.ground import ground_of
from app.mutual.members import Member, add_member, member_by_id, members, open_credit, set_roles
from app.mutual.rules import Role
from app.platform.context import context_of
from app.wire.base import CardUid, CurrencyCode

router = APIRouter(prefix="/api/v1", tags=["mutual"])


class NewMember(Body):
    card: CardUid
    name: Name
    roles: tuple[Role, ...] = ()


class Roles(Body):
    roles: tuple[Role, ...]


class HeldShown(BaseModel):
    """Minor units. `free`: what can be paid, down to minus `credit`."""

    balance: int
    reserved: int
    credit: int
    free: int


class MemberShown(BaseModel):
    """`held`: by currency. `receivable_cents`: euro cents of commissions that the member owes the network."""

    id: UUID
    name: str
    roles: tuple[Role, ...]
    card: str
    held: dict[str, HeldShown]
    receivable_cents: int


class EntryShown(BaseModel):
    """`change`, `after`: minor units. `other`: the card at the other end, or empty."""

    transfer: int
    operation: UUID
    booked: int
    kind: str
    at_us: int
    change: int
    after: int
    reason: str
    other: str


@router.get("/members", summary="All members, what they hold and owe")
async def list_members(request: Request) -> list[MemberShown]:
    async with context_of(request).reader.connect() as connection:
        found = await members(connection)
    return await _shown(request, found)


@router.post("/members", status_code=201, summary="A new member")
async def enter_member(request: Request, caller: Caller, body: NewMember) -> MemberShown:
    context, ledger = context_of(request), ledger_of(request)
    new = await add_member(context.engine, body.card, body.name, body.roles, caller.actor)
    async with context.reader.connect() as connection:
        known = await currencies(connection)
        grounds = [await ground_of(connection, code, "mutual") for code, it in known.items() if it.kind == "mutual"]
    for ground in grounds:
        await open_credit(context.engine, ledger, new, ground.currency, ground.rules.policy)
    return (await _shown(request, [new]))[0]


@router.put("/members/{member}/roles", summary="The roles that a member plays")
async def set_member_roles(request: Request, caller: Caller, member: UUID, body: Roles) -> MemberShown:
    context = context_of(request)
    async with context.reader.connect() as connection:
        found = await member_by_id(connection, member)
    await set_roles(context.engine, found, body.roles, caller.actor)
    async with context.reader.connect() as connection:
        found = await member_by_id(connection, member)
    return (await _shown(request, [found]))[0]


@router.get("/members/{member}/statement/{currency}", summary="What happened on a member's account")
async def member_statement(
    request: Request,
    member: UUID,
    currency: CurrencyCode,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> list[EntryShown]:
    async with context_of(request).reader.connect() as connection:
        who = await member_by_id(connection, member)
        ground = await ground_of(connection, currency, "mutual", "points", "time", "gift", "pegged")
    found = await books.statement(ledger_of(request), who, ground.currency, before=before, limit=limit)
    return [
        EntryShown(
            transfer=it.transfer,
            operation=it.operation,
            booked=it.seq,
            kind=it.kind,
            at_us=it.at_us,
            change=it.change,
            after=it.after,
            reason=it.reason,
            other=it.other,
        )
        for it in found
    ]


async def _shown(request: Request, found: list[Member]) -> list[MemberShown]:
    ledger = ledger_of(request)
    async with context_of(request).reader.connect() as connection:
        known = await currencies(connection)
    held = await books.held_by(ledger, found, known.values())
    owed = await books.receivables(ledger, found)
    return [
        MemberShown(
            id=it.id,
            name=it.name,
            roles=it.roles,
            card=it.card.uid,
            held={
                code: HeldShown(balance=of.balance, reserved=of.reserved, credit=of.credit, free=of.free)
                for code, of in held[it.id].items()
            },
            receivable_cents=owed.get(it.id, 0),
        )
        for it in found
    ]
