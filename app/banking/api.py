"""What the bank says, for programs: statements that were taken in, and their lines with what each was found to be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Literal, TypeVar
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from app.banking import service
from app.banking.service import Kind, Seen
from app.platform.context import context_of
from app.platform.errors import Invalid

T = TypeVar("T")

router = APIRouter(prefix="/api/v1", tags=["settlement"])

Cursor = Annotated[str | None, Query(max_length=80, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=500, description="rows on a page")]


class StatementShown(BaseModel):
    """Amounts in euro cents; the balances are null where the bank's file has none. `open`: lines that nobody has
    decided about yet."""

    id: UUID
    iban: str
    name: str
    first_day: date
    last_day: date
    opening_cents: int | None
    closing_cents: int | None
    lines: int
    open: int
    imported_by: str
    imported_at_us: int


class BankStatements(BaseModel):
    """`next`: the `cursor` of the following page; null on the last one."""

    statements: list[StatementShown]
    next: str | None


class FoundShown(BaseModel):
    """What a line is. `subject`: the provider of a payout, "venue:<id>" of cash, the end-to-end id of a settlement's
    payment; empty where it is none of the network's business. `operation`: what was booked for it."""

    kind: Kind
    subject: str
    operation: UUID | None
    reason: str
    decided_by: str
    decided_at_us: int


class BankLineShown(BaseModel):
    """`amount_cents`: above 0 came in, below 0 went out. `found` null: it waits for somebody."""

    id: UUID
    statement: UUID
    iban: str
    day: date
    amount_cents: int
    party: str
    party_iban: str
    text: str
    reference: str
    found: FoundShown | None


class BankLines(BaseModel):
    """`next`: the `cursor` of the following page; null on the last one."""

    lines: list[BankLineShown]
    next: str | None


@router.get("/bank-statements", summary="Bank statements that were taken in, the newest first")
async def list_bank_statements(request: Request, cursor: Cursor = None, limit: Limit = 100) -> BankStatements:
    before = None if cursor is None else _read(cursor, lambda at, id_: (_number(at, 2**63 - 1), UUID(id_)))
    async with context_of(request).reader.connect() as connection:
        found = await service.statements(connection, limit + 1, before)
    page = [StatementShown.model_validate({**it, "open": it["open"] or 0}) for it in found[:limit]]
    more = f"{page[-1].imported_at_us}.{page[-1].id}" if len(found) > limit else None
    return BankStatements(statements=page, next=more)


@router.get("/bank-lines", summary="Lines of bank statements, the newest first")
async def list_bank_lines(
    request: Request,
    statement: UUID | None = None,
    state: Annotated[Literal["open", "decided"] | None, Query(description="without it, both")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> BankLines:
    before = (
        None
        if cursor is None
        else _read(cursor, lambda day, number, id_: (date.fromisoformat(day), _number(number, 2**31 - 1), UUID(id_)))
    )
    open_ = None if state is None else state == "open"
    async with context_of(request).reader.connect() as connection:
        found = await service.lines(connection, open_=open_, of=statement, before=before, limit=limit + 1)
    page, more = found[:limit], None
    if len(found) > limit:
        more = f"{page[-1].line.day.isoformat()}.{page[-1].number}.{page[-1].id}"
    return BankLines(lines=[_shown(it) for it in page], next=more)


def _read(cursor: str, how: Callable[..., T]) -> T:
    try:
        return how(*cursor.split("."))
    except (ValueError, TypeError) as error:
        raise Invalid("This is no `next` of a page.") from error


def _number(text: str, most: int) -> int:
    """As a column holds it; raises ValueError."""
    number = int(text)
    if not 0 <= number <= most:
        raise ValueError(text)
    return number


def _shown(it: Seen) -> BankLineShown:
    found = it.found
    return BankLineShown(
        id=it.id,
        statement=it.statement,
        iban=it.iban,
        day=it.line.day,
        amount_cents=it.line.amount_cents,
        party=it.line.party,
        party_iban=it.line.party_iban,
        text=it.line.text,
        reference=it.line.reference,
        found=None
        if found is None
        else FoundShown(
            kind=found.kind,
            subject=found.subject,
            operation=found.operation,
            reason=found.reason,
            decided_by=found.decided_by,
            decided_at_us=found.decided_at_us,
        ),
    )
