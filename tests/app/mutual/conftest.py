"""A barter currency with a commission, points, and three members, in the small network."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import httpx
import pytest

from app.cards.service import wallet_key
from app.currencies.policies import add_policy
from app.currencies.service import Currency, add
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Posting
from app.ledger.service import currency_book
from app.money import Unit
from app.mutual.ground import operation
from app.mutual.members import Member, add_member, open_credit
from app.rules.ids import uuid7
from app.rules.policy import Fee, Limits, Policy, Spending, Transfer
from tests.support.network import CARDS, Network

BAR = Currency("BAR", "network", "mutual", Unit.CENT, "Troc", "Barter", "BAR", None, 2)
PTS = Currency("PTS", "network", "points", Unit.POINT, "Points", "Points", "pts", None, 3)
CREDIT = 2_000_00
COMMISSION = Fee(basis_points=500)

POLICIES = {
    "BAR": Policy(limits=Limits(floor=-CREDIT), commission=COMMISSION),
    "PTS": Policy(),
    "RAF": Policy(transfer=Transfer(True, per_payment=2000, per_day=3000), spending=Spending(round_up="Les Amis")),
}


@dataclass
class Club:
    """The network and its members by the names of their cards."""

    network: Network
    members: dict[str, Member] = field(default_factory=dict)

    async def rules(self, code: str, policy: Policy) -> None:
        async with self.network.engine.begin() as connection:
            await add_policy(connection, code, policy, 0, "test")

    async def ask(self, path: str, body: dict[str, object], key: object = None) -> httpx.Response:
        return await self.network.post("nadia", path, body, key)  # type: ignore[arg-type]

    async def trade(self, buyer: str, seller: str, amount: int, key: object = None) -> httpx.Response:
        body = {
            "currency": "BAR",
            "buyer": CARDS[buyer],
            "seller": CARDS[seller],
            "amount": amount,
            "reason": "Une table",
        }
        return await self.ask("/trades", body, key)

    async def has(self, who: str, code: str) -> int:
        return (await self.network.holds(who))[code]

    async def book(self, *codes: str) -> dict[tuple[str, str, str], int]:
        """Balances that are not 0, by currency, kind and owner (members by the names of their cards)."""
        names = {it.owner: name for name, it in self.members.items()}
        rows = await self.network.ledger.balances()
        return {
            (row.key.book.currency, row.key.kind, names.get(row.key.owner, row.key.owner)): row.balance
            for row in rows
            if row.balance and row.key.book.currency in codes
        }

    async def points(self, who: str, amount: int) -> None:
        """A contribution, past the issuing room."""
        owner = self.members[who].owner
        keys = [AccountKey(currency_book("network", "PTS"), "issuance"), wallet_key(owner, PTS)]
        issuance, wallet = await self.network.ledger.accounts(keys)
        day = date(2026, 11, 21)
        gained = operation(
            uuid7(), "contribution", (Posting(issuance, wallet, amount),), actor="test", at_us=0, day=day, asked={}
        )
        await self.network.ledger.post_one(gained)


@pytest.fixture
async def club(network: Network) -> Club:
    club = Club(network)
    await network.person("nadia")
    async with network.engine.begin() as connection:
        for currency in (BAR, PTS):
            await add(connection, currency)
    for code, policy in POLICIES.items():
        await club.rules(code, policy)
    for name, uid in CARDS.items():
        roles = ("contributor", "user") if name != "camille" else ("host",)
        who = await add_member(network.engine, uid, f"{name.capitalize()} et associés", roles, "test")  # type: ignore[arg-type]
        await open_credit(network.engine, network.ledger, who, BAR, POLICIES["BAR"])
        club.members[name] = who
    return club
