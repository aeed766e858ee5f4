"""Whatever fails between holders, Stripe, the bank and us, in whatever order: what was paid in is on cards, set aside
for holders, the network's fee, or paid out, to the cent; and nothing is paid out twice.

Hypothesis tops up, asks, spends, thinks again, lets banks refuse and return, loses answers, and kills the server before
any write and around any request.
"""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from app.cards.lifecycle import set_blocked
from app.cards.service import card_by_uid, wallet_key
from app.currencies.policies import add_policy
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posting
from app.ledger.service import Ledger, currency_book
from app.ledger.verify import verify
from app.platform.clock import now_us
from app.platform.database import create_engine
from app.platform.errors import DomainError
from app.refunds import booking, cardway, service, store
from app.rules.business_day import business_day
from app.rules.ids import uuid7
from app.rules.policy import Refund
from app.settlement import outgoing
from app.settlement.bank_details import ask as ask_account
from app.settlement.bank_details import decide
from app.settlement.rules.accounts import Details
from app.settlement.sepa import Report
from app.settlement.terms import NetworkTerms, set_terms
from app.topups import chargebacks, refunding
from app.topups import service as topups
from app.topups.calling import Api
from app.topups.provider import ProviderAway
from app.topups.stripe import Stripe
from app.topups.tables import chargeback
from app.venues.service import the_network
from tests.app.refunds.conftest import RESERVE, policy
from tests.app.topups.test_stripe_machine import (
    LIFE,
    QUICKLY,
    SERVER,
    SIGNING,
    Died,
    Life,
    Wire,
    crashes,
    faults,
    picks,
    step,
)
from tests.support.network import CARDS, RAF
from tests.support.stripe import SECRET, FakeStripe

pytestmark = pytest.mark.faults

SETTINGS = settings(
    max_examples=12,
    stateful_step_count=25,
    phases=QUICKLY,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
IBANS = ("FR1420041010050500013M02606", "BE68539007547034")


class RefundMachine(RuleBasedStateMachine):
    template: Path
    folder: Path

    @initialize()
    def open(self) -> None:
        path = self.folder / f"{uuid.uuid4().hex}.sqlite3"
        shutil.copy(self.template, path)
        self.runner = asyncio.Runner()
        self.stripe = FakeStripe()
        # By name of transfer: how often the bank carried it out, and how often it came back.
        self.carried: dict[str, int] = {}
        self.returned: dict[str, int] = {}
        self.asked: list[UUID] = []
        self.paid_in = 0
        self.runner.run(self._open(f"sqlite+aiosqlite:///{path}"))
        for card, cents in (("awa", 2000), ("awa", 700), ("basile", 1500)):
            self.top_up(card, cents)

    async def _open(self, url: str) -> None:
        self.engine = create_engine(url)
        self.ledger = Ledger.open(self.engine, url, SIGNING)
        await self.ledger.start()
        async with self.engine.begin() as connection:
            await add_policy(connection, "RAF", policy(Refund(fixed=30, basis_points=100)), 0, "test")
            await set_terms(connection, "network", NetworkTerms(bank_delay_h=0), actor="test")
            self.cards = {name: await card_by_uid(connection, uid) for name, uid in CARDS.items()}
            self.network = await the_network(connection)
        change = await ask_account(self.engine, "network", Details("Réseau", RESERVE), actor="one")
        await decide(self.engine, change.id, "approved", actor="another")
        sa.event.listen(self.engine.sync_engine, "commit", step)
        whole = self.ledger.post

        async def post(*arguments: Any) -> Any:
            step()
            outcomes = await whole(*arguments)
            step()
            return outcomes

        self.ledger.post = post  # type: ignore[method-assign]
        client = self.stripe.client()
        client._transport = Wire(client._transport)
        self.provider = Stripe(Api("stripe", client, pause_s=0), [SECRET], SERVER)

    def _live(self, work: Callable[[], Awaitable[Any]], steps: int | None = None) -> Any:
        async def run() -> Any:
            token = LIFE.set(Life(steps))
            try:
                return await work()
            finally:
                LIFE.reset(token)

        with suppress(Died, ProviderAway, DomainError):
            return self.runner.run(run())

    # Holders

    @rule(card=st.sampled_from(["awa", "basile"]), cents=st.integers(500, 4000))
    def top_up(self, card: str, cents: int) -> None:
        self.runner.run(self._top_up(card, cents))

    async def _top_up(self, name: str, cents: int) -> None:
        async with self.engine.connect() as connection:
            card = await card_by_uid(connection, CARDS[name])
        if card.status != "active":
            return
        id_ = uuid7()
        await topups.begin(self.engine, self.provider, self.network, card, RAF, cents, f"{SERVER}/{{id}}", id_)
        self.stripe.pay((await topups.named(self.engine, id_)).reference or "")
        await topups.settle(self.engine, self.ledger, self.provider, {"RAF": RAF}, "Europe/Paris", id_)
        self.paid_in += cents

    @rule(card=st.sampled_from(["awa", "basile"]), units=st.integers(1, 900))
    def give(self, card: str, units: int) -> None:
        """Something leaves the card at any moment, also while a refund of it is worked out."""
        self._live(lambda: self._give(card, units))

    async def _give(self, name: str, units: int) -> None:
        fund = AccountKey(currency_book("network", "RAF"), "fund", "fund:common")
        wallet, into = await self.ledger.accounts([wallet_key(self.cards[name].owner, RAF), fund])
        now, id_ = now_us(), uuid7()
        postings = (Posting(wallet, into, units),)
        day = business_day(now, "Europe/Paris")
        await self.ledger.post_one(Operation(id_, "donation", id_.bytes * 2, postings, "test", now, day))

    @rule(
        card=st.sampled_from(["awa", "basile"]),
        way=st.sampled_from(["cards", "bank"]),
        steps=crashes,
        fails=faults,
        becomes=st.sampled_from(["succeeded", "succeeded", "pending", "failed"]),
    )
    def ask(self, card: str, way: Any, steps: int | None, fails: tuple[Any, ...], becomes: str) -> None:
        self.stripe.next_refund = becomes
        self.stripe.faults.extend(fails)
        id_ = uuid7()
        self.asked.append(id_)
        self._live(lambda: self._ask(card, way, id_), steps)
        self.stripe.faults.clear()

    async def _ask(self, name: str, way: Any, id_: UUID) -> None:
        async with self.engine.connect() as connection:
            card = await card_by_uid(connection, CARDS[name])
        to = {"holder": "Awa", "iban": IBANS[0]}
        await service.ask(self.ledger, self.provider, card, way, "tap", id_, actor="holder", **to)

    @rule(pick=picks, steps=crashes)
    def think_again(self, pick: int, steps: int | None) -> None:
        if self.asked:
            id_ = self.asked[pick % len(self.asked)]
            self._live(lambda: service.cancel(self.ledger, self.provider, id_, actor="holder"), steps)

    @rule(pick=picks, steps=crashes)
    def mend(self, pick: int, steps: int | None) -> None:
        if self.asked:
            id_ = self.asked[pick % len(self.asked)]
            self._live(
                lambda: service.mend(self.ledger, self.provider, id_, "Awa", IBANS[pick % 2], actor="holder"), steps
            )

    @rule(card=st.sampled_from(["awa", "basile"]))
    def use_again(self, card: str) -> None:
        self.runner.run(self._unblock(card))

    async def _unblock(self, name: str) -> None:
        async with self.engine.begin() as connection:
            await set_blocked(connection, "test", self.cards[name].id, False)

    # Stripe and the bank

    @rule(pick=picks, ends=st.sampled_from(["succeeded", "failed"]))
    def stripe_decides(self, pick: int, ends: str) -> None:
        refunds = list(self.stripe.refunds.values())
        if not refunds:
            return
        it = refunds[pick % len(refunds)]
        if ends == "failed":
            self.stripe.fail(it["id"])
        elif it["status"] == "pending":
            it["status"] = "succeeded"

    @rule(steps=crashes)
    def pay_run(self, steps: int | None) -> None:
        self._live(self._pay_run, steps)

    async def _pay_run(self) -> None:
        with suppress(DomainError):
            await service.make_file(self.ledger, actor="one")
        async with self.engine.connect() as connection:
            files = await outgoing.files(connection)
        for it in files:
            await service.release_file(self.ledger, it.id, actor="another")

    @rule(pick=picks, kind=st.sampled_from(["executed", "executed", "rejected", "returned"]), steps=crashes)
    def bank(self, pick: int, kind: Any, steps: int | None) -> None:
        waiting = self.runner.run(self._sent())
        if not waiting:
            return
        it = waiting[pick % len(waiting)]
        if kind == "executed" and it.end_to_end not in self.carried:
            self.carried[it.end_to_end] = it.cents
        elif kind == "returned" and it.end_to_end in self.carried:
            self.returned[it.end_to_end] = it.cents
        elif kind != "rejected" or it.end_to_end in self.carried:
            return
        self._live(lambda: self._bank(Report(it.end_to_end, kind, "AC04", it.cents)), steps)
        # The file is read in again, as people do who are not sure.
        self._live(lambda: self._bank(Report(it.end_to_end, kind, "AC04", it.cents)))

    async def _sent(self) -> list[outgoing.Sent]:
        async with self.engine.connect() as connection:
            found = list((await outgoing.sent(connection)).values())
        return [it for it in found if not it.answers or it.answers[-1].kind == "executed"]

    async def _bank(self, report: Report) -> None:
        await outgoing.take_in(self.engine, [report], source="hand", actor="one")
        await service.hear(self.ledger, self.provider)

    @rule(steps=crashes, fails=faults)
    def round(self, steps: int | None, fails: tuple[Any, ...]) -> None:
        self.stripe.faults.extend(fails)
        self._live(self._round, steps)
        self.stripe.faults.clear()

    async def _round(self) -> None:
        told = await self.provider.disputes()
        await chargebacks.take_in(self.ledger, {"RAF": RAF}, "Europe/Paris", "stripe", told)
        await service.advance_all(self.ledger, self.provider)
        await service.hear(self.ledger, self.provider)

    # What must hold

    @invariant()
    def every_cent_is_somewhere(self) -> None:
        self.runner.run(self._check())

    async def _sums(self) -> dict[str, int]:
        found: dict[str, int] = {}
        kinds = ["wallet", "overdraft", "fund", "payable", "bank", "clearing", "provider_fees"]
        for row in await self.ledger.balances(kinds=kinds):
            name = "fee" if row.key.owner == "operating" else row.key.kind
            found[name] = found.get(name, 0) + row.balance
        return found

    async def _check(self) -> None:
        sums = await self._sums()
        held = sum(sums.get(it, 0) for it in ("wallet", "overdraft", "fund", "payable", "fee"))
        refunded = self.paid_in - sums.get("clearing", 0) - sums.get("provider_fees", 0)
        # What providers and the bank have by our books and what holders and the network are owed are one sum.
        assert held == self.paid_in - refunded + sums.get("bank", 0)

    def teardown(self) -> None:
        if not hasattr(self, "runner"):
            return
        try:
            self.runner.run(self._ends())
        finally:
            self.runner.run(self._closed())
            self.runner.close()

    async def _ends(self) -> None:
        """However it went, some quiet rounds later our books and theirs agree, and nothing hangs."""
        self.stripe.next_refund = "succeeded"
        for it in self.stripe.refunds.values():
            if it["status"] == "pending":
                it["status"] = "succeeded"
        for _ in range(3):
            await self._round()
        sums = await self._sums()
        assert self.stripe.received() == sums.get("clearing", 0) + sums.get("provider_fees", 0)
        assert -sums.get("bank", 0) == sum(self.carried.values()) - sum(self.returned.values())
        async with self.engine.connect() as connection:
            open_ = await store.listed(connection)
            assert (await connection.execute(sa.select(chargeback))).all() == [], "a refund is booked as taken back"
        assert {it.status for it in open_} <= {"ready", "sending", "sent", "paid", "failed", "cancelled", "nothing"}
        owed = sum(it.cents for it in open_ if it.status in {"ready", "sending", "sent"})
        failed = [it for it in open_ if it.status == "failed"]
        for it in failed:
            async with self.engine.connect() as connection:
                left = await cardway.left_of(connection, it) if it.way == "cards" else None
            owed += it.cents if left is None else sum(one.cents or 0 for one in left)
        assert sums.get("payable", 0) == owed
        for it in open_:
            if it.status == "paid" and it.way == "bank":
                assert booking.paid_id(it) in await self.ledger.booked([booking.paid_id(it)])
        report = await verify(self.engine, SIGNING.public_key())
        assert report.ok, report.findings

    async def _closed(self) -> None:
        await self.ledger.stop()
        await self.engine.dispose()


def test_what_was_paid_in_is_on_cards_or_set_aside_or_paid_out(
    sqlite_network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.ledger.service.SWEEP_EVERY_S", 10**6)

    class Machine(RefundMachine):
        template, folder = sqlite_network, tmp_path

    run_state_machine_as_test(Machine, settings=SETTINGS)


async def _nothing(*_: Any) -> dict[UUID, Any]:
    return {}


def test_it_finds_what_is_planted(sqlite_network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider's word of a refund that we asked for is taken as a payment that was taken back."""
    monkeypatch.setattr("app.ledger.service.SWEEP_EVERY_S", 10**6)
    monkeypatch.setattr(refunding, "asked", _nothing)

    class Machine(RefundMachine):
        template, folder = sqlite_network, tmp_path

    with pytest.raises(BaseException) as found:
        run_state_machine_as_test(Machine, settings=settings(SETTINGS, max_examples=60))
    assert "assert" in str(found.getrepr()).lower()
