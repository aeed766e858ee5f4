"""Loans of shared things against points."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from app.identity.guard import Caller
from app.ledger.service import ledger_of
from app.mutual import loans
from app.mutual.api.shapes import Body, Key, Party, Reason, party
from app.mutual.ground import ground_of
from app.mutual.members import member_by_id
from app.platform.clock import now_us
from app.platform.context import context_of
from app.wire.base import CurrencyCode, InstantUs, Minor

router = APIRouter(prefix="/api/v1", tags=["mutual"])


class NewLoan(Body):
    """`points` are set aside until the thing is back. `lender`: who gets what the loan costs in the end."""

    currency: CurrencyCode
    borrower: Party
    lender: Party | None = None
    points: Minor
    thing: Reason
    due_at_us: InstantUs


class LoanEnd(Body):
    """`spent`: points that the loan costs. `lost`: the thing does not come back, and all the points are spent."""

    spent: Annotated[int, Field(ge=0, le=10**12, strict=True)] = 0
    lost: bool = False


class LoanShown(BaseModel):
    id: UUID
    borrower: UUID
    lender: UUID | None
    currency: str
    points: int
    thing: str
    lent_at_us: int
    due_at_us: int
    overdue: bool
    status: str
    spent: int
    ended_at_us: int | None


@router.get("/loans", summary="Loans, what is due first comes first")
async def list_loans(
    request: Request, status: Annotated[str | None, Query(pattern="^(out|returned|lost)$")] = "out"
) -> list[LoanShown]:
    async with context_of(request).reader.connect() as connection:
        found = await loans.loans(connection, status=status)
    return [_loan(it) for it in found]


@router.post("/loans", status_code=201, summary="Lend a thing: points are set aside until it is back")
async def lend_thing(request: Request, caller: Caller, body: NewLoan, key: Key) -> LoanShown:
    context = context_of(request)
    async with context.reader.connect() as connection:
        ground = await ground_of(connection, body.currency, "points")
        borrower = await party(connection, body.borrower)
        lender = await party(connection, body.lender) if body.lender is not None else None
    return _loan(
        await loans.lend(
            context.engine,
            ledger_of(request),
            ground,
            borrower,
            lender,
            body.points,
            body.thing,
            body.due_at_us,
            key,
            actor=caller.actor,
        )
    )


@router.post("/loans/{loan}/end", summary="The thing is back, or lost")
async def end_loan(request: Request, caller: Caller, loan: UUID, body: LoanEnd) -> LoanShown:
    context = context_of(request)
    it = await loans.named(context.engine, loan)
    async with context.reader.connect() as connection:
        ground = await ground_of(connection, it.currency, "points")
        borrower = await member_by_id(connection, it.borrower)
        lender = await member_by_id(connection, it.lender) if it.lender is not None else None
    return _loan(
        await loans.end(
            context.engine,
            ledger_of(request),
            ground,
            it,
            borrower,
            lender,
            spent=body.spent,
            lost=body.lost,
            actor=caller.actor,
        )
    )


def _loan(it: loans.Loan) -> LoanShown:
    return LoanShown(
        id=it.id,
        borrower=it.borrower,
        lender=it.lender,
        currency=it.currency,
        points=it.points,
        thing=it.thing,
        lent_at_us=it.lent_at_us,
        due_at_us=it.due_at_us,
        overdue=it.overdue(now_us()),
        status=it.status,
        spent=it.spent,
        ended_at_us=it.ended_at_us,
    )
