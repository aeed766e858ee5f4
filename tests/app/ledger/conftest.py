"""A small ledger: one issuer, a pegged currency and a time currency, two wallets and a venue."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncEngine

from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Outcome, Posted, Posting
from app.ledger.service import Ledger, currency_book, reserve_book
from app.ledger.verify import verify
from app.rules.ids import uuid7

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RAF, TIME, RESERVE = currency_book("network", "RAF"), currency_book("network", "TIME"), reserve_book("network")
KEYS = {
    "issuance": AccountKey(RAF, "issuance"),
    "alice": AccountKey(RAF, "wallet", "wallet:alice"),
    "alice overdraft": AccountKey(RAF, "overdraft", "wallet:alice"),
    "bob": AccountKey(RAF, "wallet", "wallet:bob"),
    "claim": AccountKey(RAF, "claim", "venue:bar"),
    "deposits": AccountKey(RAF, "deposit"),
    "clearing": AccountKey(RESERVE, "clearing"),
    "bank": AccountKey(RESERVE, "bank"),
    "due from bar": AccountKey(RESERVE, "due_from", "venue:bar"),
    "liability": AccountKey(RESERVE, "liability", "RAF"),
    "payable bar": AccountKey(RESERVE, "payable", "venue:bar"),
    "hours issued": AccountKey(TIME, "issuance"),
    "alice hours": AccountKey(TIME, "wallet", "wallet:alice"),
    "hours claim": AccountKey(TIME, "claim", "venue:bar"),
}


@dataclass
class Books:
    """The ledger under test, spoken to as an accountant would: names of accounts, amounts, "debit / credit"."""

    ledger: Ledger
    engine: AsyncEngine
    ids: dict[str, int] = field(default_factory=dict)
    # Set by tests that spoil the ledger on purpose: it is then not asked for its proof at the end.
    spoilt: bool = False

    def operation(
        self, *postings: tuple[str, str, int], id_: UUID | None = None, kind: str = "test", **more: object
    ) -> Operation:
        return Operation(
            id=id_ or uuid7(),
            kind=kind,
            fingerprint=sha256(repr(postings).encode()).digest(),
            postings=tuple(Posting(self.ids[d], self.ids[c], amount) for d, c, amount in postings),
            actor="test",
            occurred_at_us=1_700_000_000_000_000,
            business_day=date(2023, 11, 14),
            **more,  # type: ignore[arg-type]
        )

    async def post(self, *postings: tuple[str, str, int], **more: object) -> Outcome:
        (outcome,) = await self.ledger.post([self.operation(*postings, **more)])  # type: ignore[arg-type]
        return outcome

    async def top_up(self, who: str, amount: int) -> None:
        assert isinstance(
            await self.post(("clearing", "liability", amount), ("issuance", who, amount), kind="topup"), Posted
        )

    async def balance(self, name: str) -> int:
        from app.ledger.store import reads  # noqa: PLC0415

        async with self.engine.connect() as connection:
            (row,) = await reads.by_id(connection, [self.ids[name]])
        return row.balance

    async def proves(self) -> None:
        report = await verify(self.engine, KEY.public_key())
        assert report.ok, report.findings


@pytest.fixture
async def books(engine: AsyncEngine, database_url: str) -> AsyncIterator[Books]:
    ledger = Ledger.open(engine, database_url, KEY)
    await ledger.start()
    ids = await ledger.accounts(list(KEYS.values()), {"RAF": 1})
    books = Books(ledger, engine, dict(zip(KEYS, ids, strict=True)))
    try:
        yield books
        if not books.spoilt:
            await books.proves()
    finally:
        await ledger.stop()
