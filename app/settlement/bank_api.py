"""Bank details of venues and of the network, for programs: ask for a change, and somebody else decides."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from app.identity.guard import Caller
from app.platform.context import context_of
from app.settlement import bank_details
from app.settlement.bank_details import Account
from app.settlement.reach import reached, require_reach
from app.settlement.rules.accounts import Details
from app.settlement.terms import NETWORK
from app.venues.service import venue_named

router = APIRouter(prefix="/api/v1", tags=["settlement"])

Text = Annotated[str, Field(max_length=100)]


class BankDetails(BaseModel):
    """An address has at least `town` and `country` (two letters), or there is none."""

    model_config = ConfigDict(extra="forbid")

    holder: Text
    iban: Annotated[str, Field(max_length=60, examples=["FR76 3000 6000 0112 3456 7890 189"])]
    bic: Text = ""
    street: Text = ""
    building: Text = ""
    postcode: Text = ""
    town: Text = ""
    country: Text = ""


class BankAccountShown(BaseModel):
    """`subject`: "network" or "venue:<id>". Without a `decision` it waits; an approved one holds from
    `effective_at_us` on, until a later one does."""

    id: UUID
    subject: str
    details: BankDetails
    asked_by: str
    asked_at_us: int
    decision: bank_details.Decision | None
    decided_by: str | None
    decided_at_us: int | None
    effective_at_us: int | None


@router.get("/bank-accounts", summary="Bank details that were ever asked for, the newest first")
async def list_bank_accounts(request: Request, caller: Caller) -> list[BankAccountShown]:
    async with context_of(request).reader.connect() as connection:
        subjects = await reached(connection, caller)
        return [_shown(it) for it in await bank_details.history(connection, subjects)]


@router.post("/venues/{venue}/bank-account", status_code=201, summary="Ask for new bank details of a venue")
async def ask_venue_bank_account(request: Request, caller: Caller, venue: UUID, body: BankDetails) -> BankAccountShown:
    """Nothing changes until somebody else approves it, and then only after a delay."""
    caller.require_venue(venue)
    context = context_of(request)
    async with context.reader.connect() as connection:
        at = await venue_named(connection, venue)
    return _shown(await bank_details.ask(context.engine, at.owner, _details(body), actor=caller.actor))


@router.post("/network/bank-account", status_code=201, summary="Ask for new bank details of the network's reserve")
async def ask_network_bank_account(request: Request, caller: Caller, body: BankDetails) -> BankAccountShown:
    """The account that venues are paid from."""
    engine = context_of(request).engine
    return _shown(await bank_details.ask(engine, NETWORK, _details(body), actor=caller.actor))


@router.post("/bank-accounts/{change}/{decision}", summary="Approve or refuse bank details that another asked for")
async def decide_bank_account(
    request: Request, caller: Caller, change: UUID, decision: Literal["approve", "refuse"]
) -> BankAccountShown:
    context = context_of(request)
    async with context.reader.connect() as connection:
        require_reach(caller, (await bank_details.named(connection, change)).subject)
    said: bank_details.Decision = "approved" if decision == "approve" else "refused"
    return _shown(await bank_details.decide(context.engine, change, said, actor=caller.actor))


def _details(body: BankDetails) -> Details:
    return Details(**body.model_dump())


def _shown(it: Account) -> BankAccountShown:
    return BankAccountShown(**{**asdict(it), "details": BankDetails(**asdict(it.details))})
