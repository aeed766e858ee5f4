"""Amounts that are settled later, for programs."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from app.identity.guard import Caller
from app.ledger.service import ledger_of
from app.settlement import later
from app.settlement.run_api import StatementShown, statement_shown

router = APIRouter(prefix="/api/v1", tags=["settlement"])


class PutOffAsked(BaseModel):
    """`units` of a line wait for the next run: of a claim, minor units of its currency, else euro cents; 0 takes it
    back. `owner`: who sees to it ("person:<id>"); whoever asks, where nobody is named."""

    model_config = ConfigDict(extra="forbid")

    line: Annotated[int, Field(ge=1, strict=True)]
    units: Annotated[int, Field(ge=0, le=2**53, strict=True)]
    reason: Annotated[str, Field(max_length=500)] = ""
    owner: Annotated[str, Field(max_length=80)] = ""


@router.post("/settlements/{run}/statements/{payee}/later", summary="Put an amount off to the next run")
async def put_off_settlement(
    request: Request, caller: Caller, run: UUID, payee: UUID, body: PutOffAsked
) -> StatementShown:
    """While the run is frozen and not approved."""
    owner = body.owner or caller.actor
    found = await later.put_off(
        ledger_of(request), run, payee, body.line, body.units, body.reason, owner, actor=caller.actor
    )
    return statement_shown(found)
