"""Reading the ledger: accounts, statements, the trial balance and operations, for programs.

Network admins see everything; a venue's admins its own accounts and what was booked at it. Each list has a cursor:
the `next` of a page is the `cursor` of the following one, and rows that arrive meanwhile shift nothing. A page with few
rows or none is not the last one while `next` is not null.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import date
from itertools import groupby
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse

from app.currencies.service import currencies
from app.identity.guard import Caller
from app.identity.roles import Principal
from app.ledger import csv_rows
from app.ledger.documents import OperationShown, shown
from app.ledger.rules.kinds import BookKind
from app.ledger.service import (
    Account,
    AccountFilter,
    Line,
    LineFilter,
    OperationFilter,
    Period,
    TrialRow,
    ledger_of,
)
from app.money import Unit
from app.platform.context import context_of
from app.platform.errors import NotFound

router = APIRouter(prefix="/api/v1", tags=["ledger"])

LARGEST = 2**63 - 1

Number = Annotated[int, Query(ge=0, le=LARGEST)]
Limit = Annotated[int, Query(ge=1, le=500, description="rows on a page")]
Cursor = Annotated[int | None, Query(ge=0, le=LARGEST, description="`next` of the page before")]
From = Annotated[int | None, Query(ge=0, le=LARGEST, description="booked at this instant or later")]
Until = Annotated[int | None, Query(ge=0, le=LARGEST, description="booked before this instant")]
At = Annotated[int | None, Query(ge=0, le=LARGEST, description="as of this instant; without it, now")]
Kinds = Annotated[list[str] | None, Query(description='kinds of operations: "sale", "topup"...')]
Amount = Annotated[int | None, Query(ge=0, le=LARGEST, description="minor units moved by the transfer")]

CSV_RESPONSE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "JSON, or CSV (Accept: text/csv)"}
}
CSV_ONLY: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "CSV"}
}


class AccountShown(BaseModel):
    """`balance` and `held` (what open holds set aside of it) in minor units on the account's normal side."""

    id: int
    issuer: str
    book: Literal["currency", "reserve", "operating"]
    currency: str
    kind: str
    owner: str
    normal: Literal["debit", "credit"]
    balance: int
    held: int
    opened_at_us: int


class AccountsPage(BaseModel):
    accounts: list[AccountShown]
    next: int | None


class BalanceShown(AccountShown):
    """`balance_at`: the balance once operation `seq` was booked, the last at the instant asked for."""

    seq: int
    balance_at: int


class LineShown(BaseModel):
    """One transfer as the account sees it: `change` and `after` in minor units on its normal side."""

    transfer: int
    operation: UUID
    seq: int
    kind: str
    change: int
    after: int
    other_account: int
    other_kind: str
    other_owner: str
    venue: UUID | None
    terminal: UUID | None
    actor: str
    occurred_at_us: int
    booked_at_us: int
    business_day: date
    reverses: UUID | None


class StatementShown(BaseModel):
    """`opening` and `closing`: the balances before and after everything booked in the period, whatever the filters.
    `closed_seq`: the period's last operation; without `until_us`, the last as of now."""

    account: AccountShown
    opening: int
    closing: int
    closed_seq: int
    lines: list[LineShown]
    next: int | None


class TrialAccount(BaseModel):
    account: int
    kind: str
    owner: str
    debit: int
    credit: int


class TrialBook(BaseModel):
    """The sums of both sides are equal in every book."""

    issuer: str
    book: Literal["currency", "reserve", "operating"]
    currency: str
    debit: int
    credit: int
    accounts: list[TrialAccount]


class TrialBalance(BaseModel):
    """Minor units, once operation `seq` was booked."""

    seq: int
    books: list[TrialBook]


class OperationsShown(BaseModel):
    operations: list[OperationShown]
    next: int | None


class OperationWithReversals(OperationShown):
    """`reversed_by`: the operations that took it back, wholly or in part."""

    reversed_by: list[UUID]


@router.get("/accounts", summary="Accounts and their balances as of now")
async def list_accounts(
    request: Request,
    caller: Caller,
    owner: Annotated[str | None, Query(examples=["venue:0198c0de-0000-7000-8000-00000000000b"])] = None,
    issuer: str | None = None,
    book: BookKind | None = None,
    currency: str | None = None,
    kind: str | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> AccountsPage:
    owners = None if owner is None else frozenset({owner})
    if not caller.sees_network:
        theirs = frozenset(f"venue:{venue}" for venue in caller.venues)
        owners = theirs if owners is None else owners & theirs
    which = AccountFilter(owners, issuer, book, currency, kind)
    found = await ledger_of(request).history.accounts(which, after=cursor or 0, limit=limit + 1)
    following = found[limit - 1].id if len(found) > limit else None
    return AccountsPage(accounts=[_account(it) for it in found[:limit]], next=following)


@router.get("/accounts/{account}", summary="An account, and its balance at any instant")
async def show_account(request: Request, caller: Caller, account: int, at_us: At = None) -> BalanceShown:
    history = ledger_of(request).history
    found = _theirs(caller, await history.account(account) if account <= LARGEST else None)
    moment, balance = await history.balance_at(account, at_us)
    return BalanceShown(**_account(found).model_dump(), seq=moment.seq, balance_at=balance)


@router.get(
    "/accounts/{account}/statement",
    summary="What moved on an account, with its balance after each line",
    response_model=StatementShown,
    responses=CSV_RESPONSE,
)
async def account_statement(
    request: Request,
    caller: Caller,
    account: int,
    from_us: From = None,
    until_us: Until = None,
    kind: Kinds = None,
    venue: UUID | None = None,
    terminal: UUID | None = None,
    amount_min: Amount = None,
    amount_max: Amount = None,
    order: Literal["oldest", "newest"] = "oldest",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> StatementShown | Response:
    """Oldest first by default: later, the last line's `transfer` as `cursor` gives what was booked since. With
    `Accept: text/csv`, or `.csv` at the end of the path, the whole period at once."""
    ledger = ledger_of(request)
    found = _theirs(caller, await ledger.history.account(account) if account <= LARGEST else None)
    which = LineFilter(tuple(kind or ()), venue, terminal, amount_min, amount_max)
    as_csv = _wants_csv(request)
    page = await ledger.history.statement(
        found.id,
        Period(from_us, until_us),
        which,
        cursor=None if as_csv else cursor,
        limit=1 if as_csv else limit,
        newest=order == "newest",
    )
    if page is None:
        raise NotFound
    if as_csv:
        rows = csv_rows.statement_csv(ledger.history, page, which, await _units(request))
        return _csv(rows, f"account-{account}")
    return StatementShown(
        account=_account(page.account),
        opening=page.opening,
        closing=page.closing,
        closed_seq=page.closed.seq,
        lines=[_line(it) for it in page.lines],
        next=page.next,
    )


@router.get(
    "/accounts/{account}/statement.csv",
    summary="The same as CSV",
    response_class=StreamingResponse,
    responses=CSV_ONLY,
)
async def account_statement_csv(
    request: Request,
    caller: Caller,
    account: int,
    from_us: From = None,
    until_us: Until = None,
    kind: Kinds = None,
    venue: UUID | None = None,
    terminal: UUID | None = None,
    amount_min: Amount = None,
    amount_max: Amount = None,
) -> Response:
    """Columns: `app.ledger.csv_rows.STATEMENT_COLUMNS`, listed in docs/following-the-ledger.md."""
    return await account_statement(  # type: ignore[return-value]  # it wants CSV: the path says so
        request, caller, account, from_us, until_us, kind, venue, terminal, amount_min, amount_max
    )


@router.get(
    "/trial-balance",
    summary="Every account of every book at any instant, and both sides' sums",
    response_model=TrialBalance,
    responses=CSV_RESPONSE,
)
async def trial_balance(request: Request, at_us: At = None) -> TrialBalance | Response:
    history = ledger_of(request).history
    moment = await history.moment(at_us)
    if _wants_csv(request):
        return _csv(csv_rows.trial_balance_csv(history, moment, await _units(request)), f"trial-balance-{moment.seq}")
    rows = sorted(await history.trial_rows(moment), key=_of_book)
    return TrialBalance(seq=moment.seq, books=[_book(list(of)) for _, of in groupby(rows, key=lambda it: it.key.book)])


@router.get("/trial-balance.csv", summary="The same as CSV", response_class=StreamingResponse, responses=CSV_ONLY)
async def trial_balance_csv(request: Request, at_us: At = None) -> Response:
    """Columns: `app.ledger.csv_rows.TRIAL_COLUMNS`, listed in docs/following-the-ledger.md."""
    return await trial_balance(request, at_us)  # type: ignore[return-value]  # it wants CSV: the path says so


@router.get(
    "/operations",
    summary="Operations with their transfers, the newest first",
    response_model=OperationsShown,
    responses=CSV_RESPONSE,
)
async def list_operations(
    request: Request,
    caller: Caller,
    from_us: From = None,
    until_us: Until = None,
    kind: Kinds = None,
    venue: UUID | None = None,
    terminal: UUID | None = None,
    business_day: date | None = None,
    order: Literal["oldest", "newest"] = "newest",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> OperationsShown | Response:
    """With `Accept: text/csv`, or `.csv` at the end of the path, the whole period at once, oldest first, one row for
    each transfer."""
    history = ledger_of(request).history
    venues = None if caller.sees_network else caller.venues
    which = OperationFilter(tuple(kind or ()), venue, terminal, business_day, venues)
    opened, closed = await history.between(Period(from_us, until_us))
    if _wants_csv(request):
        rows = csv_rows.operations_csv(history, opened, closed, which, await _units(request))
        return _csv(rows, f"operations-{closed.seq}")
    page = await history.operations(opened, closed, which, cursor=cursor, limit=limit, newest=order == "newest")
    return OperationsShown(operations=[shown(it, page.accounts) for it in page.operations], next=page.next)


@router.get("/operations.csv", summary="The same as CSV", response_class=StreamingResponse, responses=CSV_ONLY)
async def list_operations_csv(
    request: Request,
    caller: Caller,
    from_us: From = None,
    until_us: Until = None,
    kind: Kinds = None,
    venue: UUID | None = None,
    terminal: UUID | None = None,
    business_day: date | None = None,
) -> Response:
    """Columns: `app.ledger.csv_rows.OPERATION_COLUMNS`, listed in docs/following-the-ledger.md."""
    return await list_operations(  # type: ignore[return-value]  # it wants CSV: the path says so
        request, caller, from_us, until_us, kind, venue, terminal, business_day
    )


@router.get("/operations/{operation:uuid}", summary="One operation: its transfers, items and reversals")
async def show_operation(request: Request, caller: Caller, operation: UUID) -> OperationWithReversals:
    found = await ledger_of(request).history.operation(operation)
    for it in found.operations:
        if caller.sees_network or it.venue in caller.venues:
            return OperationWithReversals(**shown(it, found.accounts).model_dump(), reversed_by=found.reversed_by)
    raise NotFound("There is no such operation, or not for you.")


def _theirs(caller: Principal, found: Account | None) -> Account:
    if found is None or not (caller.sees_network or found.key.owner in {f"venue:{it}" for it in caller.venues}):
        raise NotFound("There is no such account, or not for you.")
    return found


def _wants_csv(request: Request) -> bool:
    return request.url.path.endswith(".csv") or "text/csv" in request.headers.get("accept", "")


def _csv(rows: AsyncIterator[str], name: str) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.csv"',
        "Cache-Control": "no-store",
        "Vary": "Accept",
    }
    return StreamingResponse(rows, media_type="text/csv; charset=utf-8; header=present", headers=headers)


async def _units(request: Request) -> Mapping[str, Unit]:
    async with context_of(request).reader.connect() as connection:
        return {code: it.unit for code, it in (await currencies(connection)).items()}


def _account(it: Account) -> AccountShown:
    return AccountShown(
        id=it.id,
        issuer=it.key.book.issuer,
        book=it.key.book.kind.value,
        currency=it.key.book.currency,
        kind=it.key.kind,
        owner=it.key.owner,
        normal="credit" if it.normal > 0 else "debit",
        balance=it.balance,
        held=it.held,
        opened_at_us=it.opened_at_us,
    )


def _line(line: Line) -> LineShown:
    it = line.booked
    return LineShown(
        transfer=it.transfer,
        operation=it.operation,
        seq=it.seq,
        kind=it.kind,
        change=it.change,
        after=it.after,
        other_account=line.other,
        other_kind=line.other_kind,
        other_owner=line.other_owner,
        venue=it.venue,
        terminal=it.terminal,
        actor=it.actor,
        occurred_at_us=it.occurred_at_us,
        booked_at_us=it.booked_at_us,
        business_day=it.business_day,
        reverses=it.reverses,
    )


def _of_book(row: TrialRow) -> tuple[str, str, str, str, str]:
    of = row.key.book
    return (of.issuer, of.kind, of.currency, row.key.kind, row.key.owner)


def _book(rows: list[TrialRow]) -> TrialBook:
    of = rows[0].key.book
    return TrialBook(
        issuer=of.issuer,
        book=of.kind.value,
        currency=of.currency,
        debit=sum(it.debit for it in rows),
        credit=sum(it.credit for it in rows),
        accounts=[
            TrialAccount(account=it.id, kind=it.key.kind, owner=it.key.owner, debit=it.debit, credit=it.credit)
            for it in rows
        ],
    )
