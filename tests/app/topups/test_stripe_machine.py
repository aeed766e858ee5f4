"""Whatever fails between holders, Stripe and us, in whatever order: paid = credited + pending + refunded, to the cent.

Hypothesis pays, refunds, disputes, loses answers, repeats, reorders, forges and drops notices, and kills the server
before any write and around any request. The profile "long" (HYPOTHESIS_PROFILE=long) looks for hours.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import uuid
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from app.cards.service import card_by_uid
from app.currencies.service import add
from app.ledger.service import Ledger
from app.ledger.verify import verify
from app.platform.database import create_engine, read_only
from app.rules.ids import uuid7
from app.topups import notices, online, service
from app.topups.calling import Api
from app.topups.chargebacks import listed
from app.topups.gifts import Gift
from app.topups.provider import NotGenuine, Payment, ProviderAway
from app.topups.rules import gift_back
from app.topups.service import Topup
from app.topups.stripe import Stripe
from app.topups.tables import topup
from app.venues.service import the_network
from tests.support.network import CARDS, GIFT, RAF
from tests.support.stripe import KEY, SECRET, FakeStripe

pytestmark = pytest.mark.faults

QUICKLY = (Phase.explicit, Phase.reuse, Phase.generate)
PROFILES = {
    "default": settings(max_examples=14, stateful_step_count=30, phases=QUICKLY),
    "long": settings(max_examples=3000, stateful_step_count=60),
}
SETTINGS = settings(
    PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "default")],
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
KNOWN = {"RAF": RAF, "GIFT": GIFT}
SERVER, FAR_US, SIGNING = "http://server.test", 2**53, Ed25519PrivateKey.generate()

T = TypeVar("T")

picks = st.integers(0, 30)
# At which step the server dies: before a write, before a request, or with its answer.
crashes = st.sampled_from([None] * 6 + list(range(9)))
# Three in a row, and we give up.
faults = st.sampled_from([()] * 5 + [("after",), ("before", "after"), ("500", "429", "after"), ("after",) * 3])


class Died(BaseException):
    """The process is gone: nothing after this line runs."""


class Life:
    """Steps until the server dies; None: it lives on."""

    def __init__(self, steps: int | None) -> None:
        self.left = steps

    def step(self) -> None:
        if self.left is not None:
            if self.left == 0:
                raise Died
            self.left -= 1


LIFE: ContextVar[Life] = ContextVar("life")


def step(*_: object) -> None:
    if (life := LIFE.get(None)) is not None:
        life.step()


class Wire(httpx.AsyncBaseTransport):
    """A server may die before a request leaves it, and before it reads the answer."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        step()
        answer = await self._inner.handle_async_request(request)
        step()
        return answer


class StripeMachine(RuleBasedStateMachine):
    template: Path
    folder: Path

    @initialize()
    def open(self) -> None:
        path = self.folder / f"{uuid.uuid4().hex}.sqlite3"
        shutil.copy(self.template, path)
        self.runner = asyncio.Runner()
        self.stripe = FakeStripe()
        # By top-up: what was asked for, as the form says it again. `shown`: sessions whose page a holder has seen.
        self.begun: dict[UUID, tuple[str, int]] = {}
        self.shown: list[str] = []
        self.runner.run(self._open(f"sqlite+aiosqlite:///{path}"))
        for card, amount in (("awa", 500), ("awa", 5000), ("basile", 2001)):
            self._begin_new(card, amount, None, ())

    async def _open(self, url: str) -> None:
        self.engine = create_engine(url)
        sa.event.listen(self.engine.sync_engine, "commit", step)
        self.ledger = Ledger.open(self.engine, url, SIGNING)
        await self.ledger.start()
        whole = self.ledger.post_one

        async def post_one(*arguments: Any) -> Any:
            step()
            posted = await whole(*arguments)
            step()
            return posted

        self.ledger.post_one = post_one  # type: ignore[method-assign]
        self.context: Any = SimpleNamespace(engine=self.engine, reader=read_only(self.engine))
        client = self.stripe.client()
        client._transport = Wire(client._transport)
        assert client.headers["Authorization"] == f"Bearer {KEY}"
        self.provider = Stripe(Api("stripe", client, pause_s=0), [SECRET], SERVER)
        async with self.engine.begin() as connection:
            await add(connection, GIFT)
            self.network = await the_network(connection)
            self.cards = {name: await card_by_uid(connection, uid) for name, uid in CARDS.items()}

    def _live(self, work: Callable[[], Awaitable[T]], steps: int | None = None) -> T | None:
        """What a server does until it dies; None: it died, or Stripe was away."""

        async def run() -> T:
            # Nothing dies afterwards: a runner's runs have their context in common.
            token = LIFE.set(Life(steps))
            try:
                return await work()
            finally:
                LIFE.reset(token)

        try:
            return self.runner.run(run())
        except (Died, ProviderAway):
            return None

    # Holders

    @rule(card=st.sampled_from(list(CARDS)), amount=st.integers(500, 9000), steps=crashes, fails=faults)
    def begin(self, card: str, amount: int, steps: int | None, fails: tuple[Any, ...]) -> None:
        self._begin_new(card, amount, steps, fails)

    @rule(pick=picks, steps=crashes, fails=faults)
    def send_the_form_again(self, pick: int, steps: int | None, fails: tuple[Any, ...]) -> None:
        self._begin(list(self.begun)[pick % len(self.begun)], steps, fails)

    def _begin_new(self, card: str, amount: int, steps: int | None, fails: tuple[Any, ...]) -> None:
        id_ = uuid7()
        self.begun[id_] = card, amount
        self._begin(id_, steps, fails)

    def _begin(self, id_: UUID, steps: int | None, fails: tuple[Any, ...]) -> None:
        card, amount = self.begun[id_]
        self.stripe.faults.extend(fails)
        back, gift = f"{SERVER}/{{id}}", Gift("GIFT", amount // 10) if amount >= 5000 else None
        found = self._live(
            lambda: service.begin(
                self.engine, self.provider, self.network, self.cards[card], RAF, amount, back, id_, gift
            ),
            steps,
        )
        self.stripe.faults.clear()
        if found is not None and found[1].startswith(self.stripe.base):
            reference = found[1].rpartition("/")[2]
            assert self.stripe.sessions[reference]["client_reference_id"] == str(id_)
            self.shown.append(reference)

    @precondition(lambda self: self._open_pages())
    @rule(pick=picks, settled=st.booleans(), other=st.sampled_from([None, None, None, -1, 1]))
    def pay(self, pick: int, settled: bool, other: int | None) -> None:
        waiting = self._open_pages()
        id_ = waiting[pick % len(waiting)]
        cents = None if other is None else self.stripe.sessions[id_]["amount_total"] + other
        self.stripe.pay(id_, cents=cents, settled=settled)

    def _open_pages(self) -> list[str]:
        return [it for it in self.shown if self.stripe.sessions[it]["status"] == "open"]

    @precondition(lambda self: len(self.stripe.sessions) > 4)
    @rule(pick=picks)
    def leave(self, pick: int) -> None:
        self.stripe.expire(list(self.stripe.sessions)[pick % len(self.stripe.sessions)])

    @rule(pick=picks, steps=crashes)
    def come_back(self, pick: int, steps: int | None) -> None:
        """The browser, from Stripe's page or anywhere."""
        id_ = list(self.begun)[pick % len(self.begun)]
        self._live(lambda: self._settle(id_), steps)

    async def _settle(self, id_: UUID) -> Topup | None:
        async with self.engine.connect() as connection:
            if (await connection.execute(sa.select(topup.c.id).where(topup.c.id == id_))).first() is None:
                return None
        return await service.settle(self.engine, self.ledger, self.provider, KNOWN, "Europe/Paris", id_)

    # Stripe, and the banks behind it

    @precondition(lambda self: self._whole())
    @rule(pick=picks, part=st.integers(1, 9000))
    def refund(self, pick: int, part: int) -> None:
        session = self._whole()[pick % len(self._whole())]
        charge = self.stripe._charge(session)
        self.stripe.refund(session, min(part, charge["amount"] - charge["amount_refunded"]))

    @precondition(lambda self: self._whole())
    @rule(pick=picks)
    def dispute(self, pick: int) -> None:
        self.stripe.dispute(self._whole()[pick % len(self._whole())])

    @precondition(lambda self: self.stripe.disputes)
    @rule(pick=picks)
    def win(self, pick: int) -> None:
        self.stripe.win(list(self.stripe.disputes)[pick % len(self.stripe.disputes)])

    def _whole(self) -> list[str]:
        """Sessions that were paid and neither refunded as a whole nor disputed."""
        disputed = {it["payment_intent"] for it in self.stripe.disputes.values()}
        paid = [id_ for id_, it in self.stripe.sessions.items() if it["payment_status"] == "paid"]
        return [
            it
            for it in paid
            if self.stripe.sessions[it]["payment_intent"] not in disputed and not self.stripe._charge(it)["refunded"]
        ]

    # Notices and rounds

    @precondition(lambda self: self.stripe.events)
    @rule(pick=picks, forged=st.sampled_from([False, False, True]), steps=crashes)
    def notice(self, pick: int, forged: bool, steps: int | None) -> None:
        """Any of them, in any order, as often as may be; what never comes up was lost."""
        event = self.stripe.events[pick % len(self.stripe.events)]
        body, headers = self.stripe.signed(event, secrets=("whsec_other",) if forged else (SECRET,))
        lower = {key.lower(): value for key, value in headers.items()}
        try:
            found = self.provider.notice(lower, body)
        except NotGenuine:
            assert forged
            return
        assert not forged
        self._live(lambda: notices.take(self.engine, "stripe", found), steps)

    @rule(steps=crashes, fails=faults, due=st.sampled_from([None, FAR_US]), since=st.sampled_from([None, 0]))
    def round(self, steps: int | None, fails: tuple[Any, ...], due: int | None, since: int | None) -> None:
        self.stripe.faults.extend(fails)
        self._live(
            lambda: online.reconcile(self.context, self.ledger, self.provider, due_us=due, since_us=since), steps
        )
        self.stripe.faults.clear()

    # What must hold

    @invariant()
    def nothing_is_on_a_card_that_was_not_paid(self) -> None:
        self.runner.run(self._check())

    async def _check(self) -> None:
        async with self.engine.connect() as connection:
            mine = [service._topup(row) for row in await connection.execute(sa.select(topup))]
            back = {it.id: it for it in await listed(connection)}
        booked = await self.ledger.booked([it.id for it in mine])
        taken = await self.ledger.booked(list(back))
        standing = sum(it.euro_cents for it in back.values() if it.id in taken and it.won_at_us is None)
        # A dispute that was won is undone by an operation of its own, which may be booked before it is kept.
        held = await self._held("RAF")
        credited = sum(it.amount for it in mine if it.id in booked)
        won = sum(it["amount"] for it in self.stripe.disputes.values() if it["status"] == "won")
        assert credited - standing <= held <= credited - standing + won
        for it in mine:
            assert it.status != "credited" or it.id in booked
            if it.id in booked:
                session = self.stripe.sessions[it.reference or ""]
                assert (session["payment_status"], session["amount_total"]) == ("paid", it.euro_cents)

    def teardown(self) -> None:
        if not hasattr(self, "runner"):
            return
        try:
            self.runner.run(self._ends())
        finally:
            self.runner.run(self._closed())
            self.runner.close()

    async def _ends(self) -> None:
        """However it went, two quiet rounds later every cent that was paid is on a card, pending, or given back."""
        for _ in range(2):
            await online.reconcile(self.context, self.ledger, self.provider, due_us=FAR_US)
        async with self.engine.connect() as connection:
            mine = {it.id: it for it in map(service._topup, await connection.execute(sa.select(topup)))}
            doubtful = {it.id for it in await service.doubtful(connection, FAR_US, 0)}
        paid = pending = fees = 0
        for session in self.stripe.sessions.values():
            if session["payment_status"] != "paid":
                continue
            it = mine[UUID(session["client_reference_id"])]
            cents = session["amount_total"]
            paid += cents
            if cents == it.euro_cents:
                assert it.status == "credited"
                fees += it.fee_cents or 0
                continue
            pending += cents - self.stripe._charge(session["id"])["amount_refunded"]
            pending -= sum(
                of["amount"]
                for of in self.stripe.disputes.values()
                if of["payment_intent"] == session["payment_intent"] and of["status"] != "won"
            )
            assert (it.status, it.paid_cents) == ("pending", cents)
            assert it.id in doubtful
        refunded = paid - self.stripe.received()
        held = await self._held("RAF")
        assert paid == held + pending + refunded
        await self._books(mine, fees, held)
        report = await verify(self.engine, SIGNING.public_key())
        assert report.ok, report.findings

    async def _held(self, code: str) -> int:
        rows = await self.ledger.balances(kinds=["wallet", "overdraft"])
        return sum(it.balance for it in rows if it.key.book.currency == code)

    async def _books(self, mine: dict[UUID, Topup], fees: int, held: int) -> None:
        """What Stripe has for us by our books: what is on cards, less what it kept."""
        async with self.engine.connect() as connection:
            back = await listed(connection)
        kept = sum(it.fee_cents - it.fee_back_cents for it in back)
        (clearing,) = [it.balance for it in await self.ledger.balances(kinds=["clearing"])] or [0]
        assert clearing == held - fees - kept
        assert sum(it.balance for it in await self.ledger.balances(kinds=["provider_fees"])) == fees + kept
        gone = sum(
            gift_back(of.gift_amount, of.euro_cents, it.euro_cents)
            for it in back
            if it.won_at_us is None and (of := mine[it.topup]).gift_amount
        )
        given = sum(it.gift_amount or 0 for it in mine.values() if it.status == "credited")
        assert await self._held("GIFT") == given - gone

    async def _closed(self) -> None:
        await self.ledger.stop()
        await self.engine.dispose()


def run(sqlite_network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.ledger.service.SWEEP_EVERY_S", 10**6)

    class Machine(StripeMachine):
        template, folder = sqlite_network, tmp_path

    run_state_machine_as_test(Machine, settings=SETTINGS)


def test_paid_is_credited_or_pending_or_refunded(
    sqlite_network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(sqlite_network, tmp_path, monkeypatch)


async def _believing(engine: Any, it: Topup, told: Payment) -> Topup:
    return replace(it, paid_cents=it.euro_cents, paid_at_us=1)


_credit = service._credit


async def _under_another_id(*arguments: Any) -> Any:
    return replace(await _credit(*arguments), id=uuid7())


@pytest.mark.parametrize(("name", "planted"), [("_credit", _under_another_id), ("_heard", _believing)])
def test_it_finds_what_is_planted(
    sqlite_network: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, planted: Any
) -> None:
    """A credit under an id of its own is booked twice after a crash; an amount that is not compared is believed."""
    monkeypatch.setattr(service, name, planted)
    with pytest.raises(BaseException) as found:
        run(sqlite_network, tmp_path, monkeypatch)
    assert "assert" in str(found.getrepr()).lower()
