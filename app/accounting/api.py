"""The reserve proof and the ledger's own proof, for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from app.accounting.service import reserve_proof
from app.currencies.service import currencies
from app.ledger.service import ledger_of
from app.ledger.verify import verify
from app.platform.context import context_of

router = APIRouter(prefix="/api/v1", tags=["accounting"])


class CirculationShown(BaseModel):
    currency: str
    issued: int
    owed_cents: int | None


class ReserveShown(BaseModel):
    """Euro cents at one instant; `holds` when what is held equals what is owed, and every pegged unit is covered."""

    circulation: list[CirculationShown]
    bank_cents: int
    clearing_cents: int
    due_from_cents: int
    liability_cents: int
    payable_cents: int
    holds: bool


@router.get("/reserve", summary="Is every euro there?")
async def show_reserve(request: Request, at_us: Annotated[int | None, Query(ge=0, le=2**53)] = None) -> ReserveShown:
    """As of now, or of what was booked by `at_us` (microseconds since the epoch)."""
    async with context_of(request).reader.connect() as connection:
        known = await currencies(connection)
    proof = await reserve_proof(ledger_of(request), known, at_us)
    return ReserveShown(
        circulation=[
            CirculationShown(currency=it.currency.code, issued=it.issued, owed_cents=it.owed_cents)
            for it in proof.circulation
        ],
        bank_cents=proof.bank_cents,
        clearing_cents=proof.clearing_cents,
        due_from_cents=proof.due_from_cents,
        liability_cents=proof.liability_cents,
        payable_cents=proof.payable_cents,
        holds=proof.holds,
    )


@router.get("/proof", summary="Recompute the whole ledger")
async def show_proof(request: Request) -> dict[str, Any]:
    """The report of `comptoir verify`: `findings` is empty when all is well."""
    context = context_of(request)
    report = await verify(context.engine, context.keys.signing.public_key())
    return {**asdict(report), "ok": report.ok}
