"""Whatever fails between holders, Stripe and us once an event is cancelled, in whatever order: what was paid for it is
on cards, with the payments that brought it, or on its way there, to the cent; and no payment gives back too much.

Hypothesis pays places with too little on the card, cancels, spends, lets Stripe lose, refuse, delay and take back, and
kills the server before any write and around any request.
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

from app.boxoffice.service import begin_payment, complete_all
from app.cards.service import card_by_uid, wallet_key
from app.currencies.policies import add_policy
from app.events import orders
from app.events import service as event_service
from app.events.orders import Ask
from app.events.proof import wrong as wrong_orders
from app.events.rules import Event, Price
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posting
from app.ledger.service import Ledger, currency_book
from app.ledger.verify import verify
from app.platform.clock import now_us
from app.platform.database import create_engine
from app.platform.errors import DomainError
from app.refunds import service as refunds
from app.refunds.tables import refund
from app.returns.onward import send_all_on
from app.returns.proof import wrong
from app.returns.service import confirm, tend_returns
from app.rules.business_day import business_day
from app.rules.ids import uuid7
from app.rules.policy import Refund
from app.topups import chargebacks, refunding
from app.topups import service as topups
from app.topups.calling import Api
from app.topups.provider import ProviderAway
from app.topups.stripe import Stripe
from app.topups.tables import topup
from app.venues.service import the_network, venues
from tests.app.refunds.conftest import policy
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
    max_examples=10,
    stateful_step_count=18,
    phases=QUICKLY,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
HOUR_US = 3_600_000_000
# No less is topped up at once.
BROUGHT = st.one_of(st.just(0), st.integers(500, 900))
HOLDERS = st.sampled_from(["awa", "basile"])


class OnwardMachine(RuleBasedStateMachine):
    template: Path
    folder: Path

    @initialize(brought=BROUGHT)
    def open(self, brought: int) -> None:
        path = self.folder / f"{uuid.uuid4().hex}.sqlite3"
        shutil.copy(self.template, path)
        self.runner = asyncio.Runner()
        self.stripe = FakeStripe()
        self.paid_in = 0
        self.events: list[Event] = []
        self.runner.run(self._open(f"sqlite+aiosqlite:///{path}"))
        for card in ("awa", "basile"):
            self.runner.run(self._buy(card, brought))
        self.cancel(0, None)

    async def _open(self, url: str) -> None:
        self.engine = create_engine(url)
        self.ledger = Ledger.open(self.engine, url, SIGNING)
        await self.ledger.start()
        async with self.engine.begin() as connection:
            await add_policy(connection, "RAF", policy(Refund()), 0, "test")
            self.cards = {name: await card_by_uid(connection, uid) for name, uid in CARDS.items()}
            self.network = await the_network(connection)
            venue, starts = next(iter((await venues(connection)).values())), now_us() + 24 * HOUR_US
            for title in ("Bal", "Concert"):
                new = Event(uuid7(), venue.id, title, title, "", "", starts, starts, starts + HOUR_US, 50)
                await event_service.create(connection, "test", new)
                await event_service.set_price(connection, "test", new.id, Price(uuid7(), "Plein", "", "RAF", 1000))
                await event_service.publish(connection, "test", new.id)
                self.events.append(await event_service.event_named(connection, new.id))
        sa.event.listen(self.engine.sync_engine, "commit", step)
        whole = self.ledger.post

        async def post(*arguments: Any) -> Any:
            step()
            outcomes = await whole(*arguments)
            step()
            return outcomes

        self.ledger.post = post  # type: ignore[method-assign, assignment]
        client = self.stripe.client()
        client._transport = Wire(client._transport)
        self.provider = Stripe(Api("stripe", client, pause_s=0), [SECRET], SERVER)

    def _live(self, work: Callable[[], Awaitable[Any]], steps: int | None = None) -> None:
        async def run() -> None:
            token = LIFE.set(Life(steps))
            try:
                await work()
            finally:
                LIFE.reset(token)

        with suppress(Died, ProviderAway, DomainError):
            self.runner.run(run())

    # Holders and the venue

    @rule(card=HOLDERS, before=BROUGHT)
    def buy(self, card: str, before: int) -> None:
        self.runner.run(self._buy(card, before))

    async def _buy(self, name: str, before: int) -> None:
        """A place at 10.00 with so much topped up apart, and the rest in the same basket."""
        if before:
            await self._top_up(name, before)
        async with self.engine.connect() as connection:
            open_ = [await event_service.event_named(connection, it.id) for it in self.events]
        at, card = next((it for it in open_ if it.status == "published"), None), self.cards[name]
        if at is None:
            return
        made = await orders.hold(self.engine, Ask(uuid7(), at.id, card, {at.prices[0].id: 1}))
        back = f"{SERVER}/{{id}}"
        with suppress(DomainError):
            of, _ = await begin_payment(self.ledger, self.provider, self.network, card, RAF, made, back)
            await self._paid(of)
        await complete_all(self.ledger)

    async def _top_up(self, name: str, cents: int) -> None:
        id_ = uuid7()
        await topups.begin(
            self.engine, self.provider, self.network, self.cards[name], RAF, cents, f"{SERVER}/{{id}}", id_
        )
        await self._paid(id_)

    async def _paid(self, id_: UUID) -> None:
        it = await topups.named(self.engine, id_)
        self.stripe.pay(it.reference or "")
        await topups.settle(self.engine, self.ledger, self.provider, {"RAF": RAF}, "Europe/Paris", id_)
        self.paid_in += it.euro_cents

    @rule(pick=picks, steps=crashes)
    def cancel(self, pick: int, steps: int | None) -> None:
        at = self.events[pick % len(self.events)]
        self._live(lambda: self._cancel(at.id), steps)

    async def _cancel(self, of: UUID) -> None:
        async with self.engine.begin() as connection:
            if (await event_service.event_named(connection, of)).status == "published":
                await event_service.cancel(connection, "test", of)
        await confirm(self.engine, "test", of)
        await tend_returns(self.ledger)

    @rule(card=HOLDERS, units=st.integers(1, 900))
    def give(self, card: str, units: int) -> None:
        """Something leaves the card at any moment, also while its money is about to go on."""
        self._live(lambda: self._give(card, units))

    async def _give(self, name: str, units: int) -> None:
        fund = AccountKey(currency_book("network", "RAF"), "fund", "fund:common")
        wallet, into = await self.ledger.accounts([wallet_key(self.cards[name].owner, RAF), fund])
        now, id_ = now_us(), uuid7()
        day = business_day(now, "Europe/Paris")
        posting = (Posting(wallet, into, units),)
        await self.ledger.post_one(Operation(id_, "donation", id_.bytes * 2, posting, "test", now, day))

    @rule(card=HOLDERS, steps=crashes)
    def ask_for_the_rest(self, card: str, steps: int | None) -> None:
        """Their own refund of what is left, back to the same payments."""
        self._live(lambda: self._ask(card), steps)

    async def _ask(self, name: str) -> None:
        async with self.engine.connect() as connection:
            card = await card_by_uid(connection, CARDS[name])
        await refunds.ask(self.ledger, self.provider, card, "cards", "tap", uuid7(), actor="holder")

    # Stripe and the rounds

    @rule(steps=crashes, fails=faults, becomes=st.sampled_from(["succeeded", "succeeded", "pending", "failed"]))
    def round(self, steps: int | None, fails: tuple[Any, ...], becomes: str) -> None:
        self.stripe.next_refund = becomes
        self.stripe.faults.extend(fails)
        self._live(self._round, steps)
        self.stripe.faults.clear()

    @rule(pick=picks, ends=st.sampled_from(["succeeded", "failed"]))
    def stripe_decides(self, pick: int, ends: str) -> None:
        known = list(self.stripe.refunds.values())
        if not known:
            return
        it = known[pick % len(known)]
        if ends == "failed":
            self.stripe.fail(it["id"])
        elif it["status"] == "pending":
            it["status"] = "succeeded"

    async def _round(self) -> None:
        told = await self.provider.disputes()
        await chargebacks.take_in(self.ledger, {"RAF": RAF}, "Europe/Paris", "stripe", told)
        await tend_returns(self.ledger)
        await send_all_on(self.ledger, self.provider)
        await refunds.advance_all(self.ledger, self.provider)

    # What must hold

    async def _sums(self) -> dict[str, int]:
        found: dict[str, int] = {}
        kinds = ["wallet", "overdraft", "fund", "claim", "payable", "clearing", "provider_fees"]
        for row in await self.ledger.balances(kinds=kinds):
            found[row.key.kind] = found.get(row.key.kind, 0) + row.balance
        return found

    @invariant()
    def every_cent_is_somewhere(self) -> None:
        if hasattr(self, "engine"):
            self.runner.run(self._check())

    async def _check(self) -> None:
        """Paid in = on cards + given to somebody + with venues + set aside + gone back to the payments."""
        sums = await self._sums()
        here = sum(sums.get(it, 0) for it in ("wallet", "overdraft", "fund", "claim", "payable"))
        gone = self.paid_in - sums.get("clearing", 0) - sums.get("provider_fees", 0)
        assert here == self.paid_in - gone
        for charge in self.stripe.charges.values():
            assert charge["amount_refunded"] <= charge["amount"]

    def teardown(self) -> None:
        if not hasattr(self, "ledger"):
            return
        try:
            self.runner.run(self._ends())
        finally:
            self.runner.run(self._closed())
            self.runner.close()

    async def _ends(self) -> None:
        """However it went, some quiet rounds later everybody has their money, and our books and Stripe's agree."""
        self.stripe.next_refund = "succeeded"
        for it in self.stripe.refunds.values():
            if it["status"] == "pending":
                it["status"] = "succeeded"
        for at in self.events:
            await self._cancel(at.id)
        for _ in range(6):
            await self._round()
        sums = await self._sums()
        assert self.stripe.received() == sums.get("clearing", 0) + sums.get("provider_fees", 0)
        assert sums.get("claim", 0) == 0, "the venue keeps nothing of events that were cancelled"
        async with self.engine.connect() as connection:
            rows = (await connection.execute(sa.select(refund.c.status, refund.c.topup))).all()
            brought = set((await connection.execute(sa.select(topup.c.id))).scalars())
        alone = {row.status for row in rows if row.topup is not None}
        assert alone <= {"paid", "cancelled", "nothing"}, alone
        assert {row.topup for row in rows} - {None} <= brought
        if all(row.topup is not None for row in rows):
            assert sums.get("payable", 0) == 0, "what nobody asked for waits for nobody"
        assert await wrong_orders(self.engine) + await wrong(self.engine) == []
        report = await verify(self.engine, SIGNING.public_key())
        assert report.ok, report.findings

    async def _closed(self) -> None:
        await self.ledger.stop()
        await self.engine.dispose()


def test_what_was_paid_is_on_cards_or_back_or_kept(
    sqlite_network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.ledger.service.SWEEP_EVERY_S", 10**6)

    class Machine(OnwardMachine):
        template, folder = sqlite_network, tmp_path

    run_state_machine_as_test(Machine, settings=SETTINGS)


def test_it_finds_what_is_planted(sqlite_network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The payment's part is not planned with the refund: it is set aside, and never sent."""
    monkeypatch.setattr("app.ledger.service.SWEEP_EVERY_S", 10**6)

    async def nothing(*_: Any) -> None:
        return None

    monkeypatch.setattr(refunding, "plan", nothing)

    class Machine(OnwardMachine):
        template, folder = sqlite_network, tmp_path

    with pytest.raises(BaseException) as found:
        run_state_machine_as_test(Machine, settings=settings(SETTINGS, max_examples=20))
    assert "is not what its payment was to give back" in str(found.getrepr())
