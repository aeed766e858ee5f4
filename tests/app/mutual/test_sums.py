"""Whatever members do, mutual credit sums to 0 and points never meet euros."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from app.cards.service import add_card, wallet_key
from app.currencies.policies import add_policy
from app.currencies.service import Currency, add
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Posting
from app.ledger.service import Ledger, currency_book
from app.ledger.verify import verify
from app.money import Unit
from app.mutual import loans, trades
from app.mutual.ground import ground_of, operation
from app.mutual.members import Member, add_member
from app.platform.clock import now_us
from app.platform.database import create_engine
from app.platform.errors import DomainError
from app.rules.ids import uuid7
from app.rules.policy import Fee, Limits, Policy
from app.venues.rules import NetworkSettings
from app.venues.service import set_network

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
BAR = Currency("BAR", "network", "mutual", Unit.CENT, "Troc", "Barter", "BAR", None, 0)
PTS = Currency("PTS", "network", "points", Unit.POINT, "Points", "Points", "pts", None, 1)
CREDIT = 500
MEMBERS = 3

who = st.integers(0, MEMBERS - 1)
picks = st.integers(0, 20)
amounts = st.one_of(st.integers(1, 40), st.integers(1, 700))
fees = st.builds(
    Fee,
    basis_points=st.sampled_from([0, 1, 500, 3333, 10_000]),
    minimum=st.sampled_from([0, 3]),
    payer=st.sampled_from(["buyer", "seller"]),
    beneficiary=st.sampled_from(["network", "fund"]),
    in_euros=st.booleans(),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("trade"), who, who, amounts),
        st.tuples(st.just("trade"), who, who, amounts),
        st.tuples(st.just("take_back"), picks, picks, amounts),
        st.tuples(st.just("contribute"), who, who, amounts),
        st.tuples(st.just("lend"), who, who, amounts),
        st.tuples(st.just("end"), picks, picks, amounts),
    ),
    min_size=3,
    max_size=14,
)
Step = Callable[[int, int, int], Awaitable[object]]


@dataclass
class Evening:
    """Three members, with a real ledger below."""

    engine: AsyncEngine
    ledger: Ledger
    members: list[Member] = field(default_factory=list)
    traded: list[UUID] = field(default_factory=list)
    lent: list[UUID] = field(default_factory=list)

    async def trade(self, buyer: int, seller: int, amount: int) -> None:
        async with self.engine.connect() as connection:
            ground = await ground_of(connection, "BAR", "mutual")
        id_ = uuid7()
        await trades.trade(
            self.engine,
            self.ledger,
            ground,
            self.members[buyer],
            self.members[seller],
            amount,
            id_,
            actor="test",
            reason="Bois",
        )
        self.traded.append(id_)

    async def take_back(self, pick: int, _: int, __: int) -> None:
        if self.traded:
            async with self.engine.connect() as connection:
                network = (await ground_of(connection, "BAR", "mutual")).network
            original = self.traded[pick % len(self.traded)]
            await trades.take_back(self.ledger, network, original, uuid7(), actor="test", reason="Erreur")

    async def contribute(self, by: int, _: int, amount: int) -> None:
        keys = [AccountKey(currency_book("network", "PTS"), "issuance"), wallet_key(self.members[by].owner, PTS)]
        issuance, wallet = await self.ledger.accounts(keys)
        async with self.engine.connect() as connection:
            day = (await ground_of(connection, "PTS", "points")).day
        gained = operation(
            uuid7(), "contribution", (Posting(issuance, wallet, amount),), actor="test", at_us=0, day=day, asked={}
        )
        await self.ledger.post_one(gained)

    async def lend(self, borrower: int, lender: int, points: int) -> None:
        async with self.engine.connect() as connection:
            ground = await ground_of(connection, "PTS", "points")
        owner = self.members[lender] if lender != borrower else None
        id_ = uuid7()
        await loans.lend(
            self.engine,
            self.ledger,
            ground,
            self.members[borrower],
            owner,
            points,
            "Barnum",
            now_us(),
            id_,
            actor="test",
        )
        self.lent.append(id_)

    async def end(self, pick: int, lost: int, spent: int) -> None:
        if self.lent:
            it = await loans.named(self.engine, self.lent[pick % len(self.lent)])
            async with self.engine.connect() as connection:
                ground = await ground_of(connection, "PTS", "points")
            by_id = {one.id: one for one in self.members}
            owner = by_id[it.lender] if it.lender else None
            price = spent % (it.points + 1)
            await loans.end(
                self.engine,
                self.ledger,
                ground,
                it,
                by_id[it.borrower],
                owner,
                spent=price,
                lost=lost % 3 == 0,
                actor="test",
            )

    async def sums(self) -> None:
        rows = await self.ledger.balances()
        bar = [row for row in rows if row.key.book.currency == "BAR"]
        assert sum(row.balance for row in bar) == 0
        assert all(row.key.kind != "issuance" for row in bar)
        assert all(row.balance >= -CREDIT for row in bar if row.key.kind == "wallet")
        assert all(row.key.kind not in {"liability", "clearing", "due_from"} for row in rows)
        points = {row.id for row in rows if row.key.book.currency == "PTS"}
        for id_ in self.lent:
            ended = uuid.uuid5(id_, loans.ENDED)
            for booked in (await self.ledger.booked([ended])).values():
                assert {side for t in booked.transfers for side in (t.debit, t.credit)} <= points


async def _evening(url: str, fee: Fee, story: list[tuple[str, int, int, int]]) -> None:
    engine = create_engine(url)
    ledger = Ledger.open(engine, url, KEY)
    await ledger.start()
    try:
        evening = Evening(engine, ledger)
        async with engine.begin() as connection:
            await set_network(connection, "Le Comptoir", NetworkSettings(fee_vat_basis_points=2000))
            for currency in (BAR, PTS):
                await add(connection, currency)
            await add_policy(connection, "BAR", Policy(limits=Limits(floor=-CREDIT), commission=fee), 0, "test")
            cards = [await add_card(connection, f"04A0000000B00{i}", f"Carte {i}") for i in range(MEMBERS)]
        for card in cards:
            evening.members.append(await add_member(engine, card.uid, card.label, ("user", "contributor"), "test"))
        for name, one, other, amount in story:
            step: Step = getattr(evening, name)
            with suppress(DomainError):
                await step(one, other, amount)
            await evening.sums()
        assert (await verify(engine, KEY.public_key())).findings == []
    finally:
        await ledger.stop()
        await engine.dispose()


@pytest.mark.usefixtures("anyio_backend")
@settings(
    max_examples=15,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(fee=fees, story=steps)
def test_mutual_credit_sums_to_0_and_points_never_meet_euros(
    sqlite_template: Path, tmp_path: Path, fee: Fee, story: list[tuple[str, int, int, int]]
) -> None:
    path = tmp_path / f"{uuid.uuid4().hex}.sqlite3"
    shutil.copy(sqlite_template, path)
    asyncio.run(_evening(f"sqlite+aiosqlite:///{path}", fee, story))
