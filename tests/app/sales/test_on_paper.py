"""Whatever happens in whatever order, the ledger says what a child with a pencil would."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.cards.service import add_card, balances
from app.ledger.verify import verify
from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.wire import CancelRow, Sale, VoidRow
from tests.support.network import RAF, TEMPS, Network, Terminal

pytestmark = pytest.mark.anyio

KNOWN = {"RAF": RAF, "TEMPS": TEMPS}
WATER = 100  # the price of a glass at the Raffinerie
HOLDERS = ("left", "right")

Holder = st.sampled_from(HOLDERS)
Glasses = st.integers(1, 6)
Step = st.one_of(
    st.tuples(st.just("top up"), Holder, st.integers(1, 800)),
    st.tuples(st.just("online"), Holder, Glasses),
    st.tuples(st.just("offline"), Holder, Glasses),
    st.tuples(st.just("void"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("cancel"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("again"), st.integers(0, 9), st.just(0)),
    st.tuples(st.just("sync"), st.just("left"), st.just(0)),
)


@dataclass
class Paper:
    """What each card holds and the venue took, by additions alone. `open`: sales that stand, by id.

    A sale is paid out of the purse as far as it goes; what is beyond (offline only) is owed. Money that comes in
    repays what is owed first. A void gives each part back where it came from, as far as it is still owed.
    """

    purse: dict[str, int] = field(default_factory=lambda: dict.fromkeys(HOLDERS, 0))
    owed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(HOLDERS, 0))
    claim: int = 0
    standing: dict[object, tuple[str, int, int]] = field(default_factory=dict)
    refused: set[object] = field(default_factory=set)

    def comes_in(self, holder: str, amount: int) -> None:
        repaid = min(amount, self.owed[holder])
        self.owed[holder] -= repaid
        self.purse[holder] += amount - repaid

    def sold(self, sale: object, holder: str, amount: int, *, offline: bool) -> bool:
        paid = min(amount, self.purse[holder])
        if paid < amount and not offline:
            self.refused.add(sale)
            return False
        self.purse[holder] -= paid
        self.owed[holder] += amount - paid
        self.claim += amount
        self.standing[sale] = (holder, paid, amount - paid)
        return True

    def undone(self, sale: object) -> None:
        if (it := self.standing.pop(sale, None)) is not None:
            holder, paid, on_credit = it
            self.purse[holder] += paid
            self.comes_in(holder, on_credit)
            self.claim -= paid + on_credit


@dataclass
class Evening:
    """One example: two fresh cards at a fresh terminal, and the paper beside them."""

    network: Network
    bar: Terminal
    cards: dict[str, str]
    owners: dict[str, str]
    paper: Paper = field(default_factory=Paper)
    sales: list[tuple[Sale, str, int]] = field(default_factory=list)
    later: list[tuple[str, object, str, int]] = field(default_factory=list)

    async def step(self, what: str, who: str | int, much: int) -> None:
        match what:
            case "top up":
                body = {"card": self.cards[str(who)], "currency": "RAF", "amount": much}
                answer = await self.network.post("lucas", f"/venues/{self.bar.venue.id}/topups", body)
                assert answer.status_code == 201
                self.paper.comes_in(str(who), much)
            case "online":
                sale = self._rung_up(str(who), much)
                answer = await self.bar.sell(sale)
                paid = self.paper.sold(sale.id, str(who), much * WATER, offline=False)
                assert answer.status_code == (201 if paid else 402)
                if paid:
                    assert answer.json()["balances"] == {"RAF": self.paper.purse[str(who)]}
                    self.bar.journal.add(self.bar.sale_row(sale, mode="online"))
            case "offline":
                sale = self._rung_up(str(who), much)
                self.bar.journal.add(self.bar.sale_row(sale))
                self.later.append(("sold", sale.id, str(who), much * WATER))
            case "void" | "cancel" if self.sales:
                sale, _, _ = self.sales[int(who) % len(self.sales)]
                row = (
                    VoidRow(id=uuid7(), sale=sale.id, reason="Erreur", at_us=now_us())
                    if what == "void"
                    else CancelRow(id=uuid7(), sale=sale.id, at_us=now_us())
                )
                self.bar.journal.add(row)
                self.later.append(("undone", sale.id, "", 0))
            case "again" if self.sales:
                sale, holder, amount = self.sales[int(who) % len(self.sales)]
                await self._asked_again(sale, holder, amount)
            case "sync":
                await self.sync()

    async def sync(self) -> None:
        """The whole journal, as often as it is asked for; what was on its way is on the paper from now on."""
        if self.bar.journal.rows:
            answer = await self.bar.sync(self.bar.journal.batch())
            assert answer.json()["acknowledged"] == len(self.bar.journal.rows)
        for what, sale, holder, amount in self.later:
            if what == "undone":
                self.paper.undone(sale)
            elif sale not in self.paper.standing:
                self.paper.sold(sale, holder, amount, offline=True)
        self.later.clear()

    async def agrees(self) -> None:
        for holder, owner in self.owners.items():
            held = await balances(self.network.ledger, owner, KNOWN)
            assert held["RAF"] == self.paper.purse[holder] - self.paper.owed[holder], holder

    def _rung_up(self, holder: str, glasses: int) -> Sale:
        sale = self.bar.sale(self.cards[holder], {"Eau": glasses})
        self.sales.append((sale, holder, glasses * WATER))
        return sale

    async def _asked_again(self, sale: Sale, holder: str, amount: int) -> None:
        """The same request once more: a sale that still waits in the journal is booked by it, if it can be."""
        waiting = any(it[:2] == ("sold", sale.id) for it in self.later)
        answer = await self.bar.sell(sale)
        if waiting and sale.id not in self.paper.standing and sale.id not in self.paper.refused:
            paid = self.paper.sold(sale.id, holder, amount, offline=False)
            assert answer.status_code == (201 if paid else 402)
        else:
            assert answer.status_code in {200, 402, 409}


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=st.lists(Step, max_size=14))
async def test_any_evening_ends_as_on_paper(network: Network, steps: list[tuple[str, str | int, int]]) -> None:
    cards, owners = {}, {}
    async with network.engine.begin() as connection:
        for holder in HOLDERS:
            new = await add_card(connection, uuid7().hex[-14:].upper(), "One of two")
            cards[holder], owners[holder] = new.uid, new.owner
    evening = Evening(network, await network.terminal("raffinerie"), cards, owners)
    before = (await network.claims("raffinerie")).get("RAF", 0)
    for step in steps:
        await evening.step(*step)
        await evening.agrees()
    await evening.sync()
    await evening.agrees()
    assert (await network.claims("raffinerie")).get("RAF", 0) - before == evening.paper.claim
    report = await verify(network.engine)
    assert report.ok, report.findings
