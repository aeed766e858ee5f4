"""An operation as it is told to programs: over the API, as an event, and to webhooks. One shape everywhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Transfer
from app.ledger.service import BookedOperation


class Side(BaseModel):
    """One account of a transfer. `owner`: "wallet:<id>", "venue:<id>", a currency's code, or "" for the issuer's own.
    `after`: its balance once the transfer was posted, in minor units on its normal side."""

    account: int
    kind: str
    owner: str
    after: int


class TransferShown(BaseModel):
    """`amount` minor units of `currency` moved from the debited account to the credited one, in one book. `reverses`:
    the transfer that this one takes back, wholly or in part."""

    id: int
    issuer: str
    book: Literal["currency", "reserve", "operating"]
    currency: str
    amount: int
    debit: Side
    credit: Side
    reverses: int | None


class OperationShown(BaseModel):
    """One business event. `seq` counts all operations of the network without gaps, in the order of their commits.
    `late`: it counts to the day it was booked and not to the day it happened. `details` holds what the event was
    about: a sale's `lines` and `tenders`, a top-up's provider..."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0198c0de-0000-7000-8000-000000000001",
                    "seq": 4711,
                    "kind": "sale",
                    "actor": "terminal:0198c0de-0000-7000-8000-00000000000a",
                    "venue": "0198c0de-0000-7000-8000-00000000000b",
                    "terminal": "0198c0de-0000-7000-8000-00000000000a",
                    "occurred_at_us": 1767225600000000,
                    "booked_at_us": 1767225600084000,
                    "business_day": "2025-12-31",
                    "late": False,
                    "policy": "",
                    "reverses": None,
                    "details": {"lines": [{"name": "Demi", "quantity": 1}]},
                    "transfers": [
                        {
                            "id": 9001,
                            "issuer": "network",
                            "book": "currency",
                            "currency": "RAF",
                            "amount": 350,
                            "debit": {
                                "account": 12,
                                "kind": "wallet",
                                "owner": "wallet:0198c0de-0000-7000-8000-00000000000c",
                                "after": 1650,
                            },
                            "credit": {
                                "account": 7,
                                "kind": "claim",
                                "owner": "venue:0198c0de-0000-7000-8000-00000000000b",
                                "after": 120350,
                            },
                            "reverses": None,
                        }
                    ],
                }
            ]
        }
    )

    id: UUID
    seq: int
    kind: str
    actor: str
    venue: UUID | None
    terminal: UUID | None
    occurred_at_us: int = Field(description="when it happened, by the clock of whoever started it")
    booked_at_us: int = Field(description="when it was booked; never decreases with seq")
    business_day: date
    late: bool
    policy: str
    reverses: UUID | None
    details: dict[str, Any]
    transfers: list[TransferShown]


def shown(it: BookedOperation, accounts: Mapping[int, AccountKey]) -> OperationShown:
    """`accounts`: what each account of its transfers is."""
    return OperationShown(
        id=it.id,
        seq=it.seq,
        kind=it.kind,
        actor=it.actor,
        venue=it.venue,
        terminal=it.terminal,
        occurred_at_us=it.occurred_at_us,
        booked_at_us=it.booked_at_us,
        business_day=it.business_day,
        late=it.late,
        policy=it.policy,
        reverses=it.reverses,
        details=json.loads(it.details),
        transfers=[_transfer(t, accounts) for t in it.transfers],
    )


def _transfer(t: Transfer, accounts: Mapping[int, AccountKey]) -> TransferShown:
    debit, credit = accounts[t.debit], accounts[t.credit]
    return TransferShown(
        id=t.id,
        issuer=debit.book.issuer,
        book=debit.book.kind.value,
        currency=debit.book.currency,
        amount=t.amount,
        debit=Side(account=t.debit, kind=debit.kind, owner=debit.owner, after=t.debit_after),
        credit=Side(account=t.credit, kind=credit.kind, owner=credit.owner, after=t.credit_after),
        reverses=t.reverses,
    )
