"""What will lapse and what did, for programs."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from app.lapses import reading, store
from app.lapses.rules import Effect
from app.lapses.store import Summary
from app.ledger.service import ledger_of
from app.platform.context import context_of

router = APIRouter(prefix="/api/v1", tags=["lapses"])


class PeriodShown(BaseModel):
    """One currency, one effect, one turn of a day: `period` is the business day that begins at `due_us`. `announced`:
    minor units that holders were told at most; `taken`: what lapsed; `open`: wallets that are not decided yet."""

    currency: str
    effect: Effect
    period: date
    due_us: int
    wallets: int
    open: int
    announced: int
    taken: int


class Periods(BaseModel):
    """`coming`: the nearest first; `over`: the newest first."""

    coming: list[PeriodShown]
    over: list[PeriodShown]


class WalletShown(BaseModel):
    """`id`: of the notice, and of the operation that follows from it. `taken`: minor units that lapsed, or (`open`)
    that would lapse if nothing moved any more. `policy`: by which version of the rules."""

    id: UUID
    owner: str
    announced: int
    taken: int
    open: bool
    policy: str
    told_at_us: int


class GrowthShown(BaseModel):
    """A member's credit limit at the end of a period, in minor units."""

    currency: str
    owner: str
    period: date
    sold: int
    limit_before: int
    limit_after: int
    policy: str


@router.get("/lapses", summary="What will lapse, and what did")
async def list_lapses(request: Request) -> Periods:
    async with context_of(request).reader.connect() as connection:
        coming = await store.summaries(connection, is_open=True)
        over = await store.summaries(connection, is_open=False)
    return Periods(coming=[_shown(it) for it in coming], over=[_shown(it) for it in over])


@router.get("/lapses/{currency}/{effect}/{period}", summary="One period, wallet by wallet")
async def show_lapse(request: Request, currency: str, effect: Effect, period: date) -> list[WalletShown]:
    found = await reading.period_of(context_of(request), ledger_of(request), currency, effect, period)
    return [
        WalletShown(
            id=it.notice.id,
            owner=it.notice.owner,
            announced=it.notice.amount,
            taken=it.amount,
            open=it.notice.taken is None,
            policy=it.label,
            told_at_us=it.notice.made_at_us,
        )
        for it in found.lines
    ]


@router.get("/credit-growth", summary="Credit limits that grew with what was sold")
async def list_credit_growth(
    request: Request, currency: Annotated[str | None, Query(max_length=8)] = None
) -> list[GrowthShown]:
    """The newest first, 200 at most."""
    async with context_of(request).reader.connect() as connection:
        found = await store.growths(connection, currency)
    return [
        GrowthShown(
            currency=it.currency,
            owner=it.owner,
            period=it.period,
            sold=it.sold,
            limit_before=it.limit_before,
            limit_after=it.limit_after,
            policy=it.policy,
        )
        for it in found
    ]


def _shown(it: Summary) -> PeriodShown:
    of = it.group
    return PeriodShown(
        currency=of.currency,
        effect=of.effect,
        period=of.period,
        due_us=of.due_us,
        wallets=it.wallets,
        open=it.open,
        announced=it.announced,
        taken=it.taken,
    )
