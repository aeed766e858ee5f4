"""Whatever happened before a run, and wherever it stopped: nothing is lost or paid twice, and no closed run moves."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from app.currencies.policies import add_policy
from app.currencies.service import Currency, add
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Entry, Operation, Outcome, Posted, Posting
from app.ledger.service import Ledger, currency_book, reserve_book
from app.ledger.store import PostingStore, open_store
from app.ledger.verify import verify
from app.money import Unit
from app.platform.clock import now_us
from app.platform.database import create_engine
from app.rules.ids import uuid7
from app.rules.policy import Fee, Policy, Redeem
from app.settlement import booking, later, paying, runs, store
from app.settlement.bank_details import ask, decide
from app.settlement.rules.accounts import Details
from app.settlement.rules.amounts import NETWORK
from app.settlement.sepa import Report
from app.settlement.store import Run
from app.settlement.terms import Cover, NetworkTerms, VenueTerms, set_terms
from app.venues.rules import FeeTier, NetworkSettings
from app.venues.service import Venue, add_venue, set_network, venues

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
CARDS = ("wallet:a", "wallet:b")
IBAN = "FR7630006000011234567890189"
RATES = {"RAF": 1, "OWN": 2}
TIER = FeeTier(250, 1_000, 3_000, 500)

cards, places, amounts = st.integers(0, 1), st.integers(0, 2), st.integers(1, 4_000)
moneys = st.sampled_from(["RAF", "OWN"])
before = st.one_of(
    st.tuples(st.just("load_cash"), cards, places, moneys, amounts),
    st.tuples(st.just("load_online"), cards, places, moneys, amounts),
    st.tuples(st.just("sell"), cards, places, moneys, amounts),
    st.tuples(st.just("sell"), cards, places, moneys, amounts),
    st.tuples(st.just("unknown_card"), cards, places, moneys, amounts),
    st.tuples(st.just("take_back"), cards, places, moneys, amounts),
    st.tuples(st.just("hand_in"), cards, places, moneys, amounts),
)


@dataclass(frozen=True)
class Plan:
    """One run: what of it, whom it leaves out, whose payment fails, what happens before its approval, how many entries
    are posted before the server stops, and whose amounts are put off by which part."""

    percent: int
    left_out: int | None
    fails: int | None
    meanwhile: Sequence[tuple[str, int, int, str, int]]
    stops_after: int
    later: tuple[int, int] | None = None


plans = st.builds(
    Plan,
    st.sampled_from([100, 100, 33]),
    st.none() | places,
    st.none() | places,
    st.lists(before, max_size=3),
    st.integers(0, 9),
    st.none() | st.tuples(places, st.integers(1, 3)),
)
stories = st.lists(st.tuples(st.lists(before, min_size=2, max_size=8), plans), min_size=2, max_size=3)


class Stopped(Exception):
    """The server died here."""


class Mortal(Ledger):
    """A ledger whose process ends after so many entries, in the middle of what it was asked to post."""

    def __init__(self, engine: AsyncEngine, inner: PostingStore) -> None:
        super().__init__(engine, inner)
        self.lives: int | None = None

    async def post(self, entries: Sequence[Entry]) -> list[Outcome]:
        if self.lives is None:
            return await super().post(entries)
        now, self.lives = self.lives, max(0, self.lives - len(entries))
        outcomes = await super().post(entries[:now])
        if len(entries) > now:
            raise Stopped
        return outcomes


@dataclass
class Month:
    engine: AsyncEngine
    ledger: Mortal
    venues: list[Venue]
    sold: list[UUID] = field(default_factory=list)
    closed: dict[UUID, Any] = field(default_factory=dict)

    def issuer(self, code: str) -> str:
        return NETWORK if code == "RAF" else self.venues[0].owner

    async def moves(self, kind: str, *legs: tuple[AccountKey, AccountKey, int, AccountKey | None]) -> UUID:
        id_ = uuid7()
        postings = []
        for debit, credit, amount, overflow in legs:
            ids = await self.ledger.accounts([debit, credit, *([overflow] if overflow else [])], RATES)
            takes = kind == "load"
            postings.append(
                Posting(
                    ids[0],
                    ids[1],
                    amount,
                    debit_overflow=ids[2] if overflow and not takes else None,
                    credit_overflow=ids[2] if overflow and takes else None,
                )
            )
        (outcome,) = await self.ledger.post(
            [Operation(id_, kind, bytes(32), tuple(postings), "test", now_us(), date(2026, 11, 1))]
        )
        assert isinstance(outcome, Posted), outcome
        return id_

    def key(self, code: str, kind: str, owner: str = "") -> AccountKey:
        return AccountKey(currency_book(self.issuer(code), code), kind, owner)

    async def load(self, paid: AccountKey, card: int, code: str, amount: int) -> None:
        owner = CARDS[card]
        await self.moves(
            "load",
            (paid, AccountKey(reserve_book(self.issuer(code)), "liability", code), amount * RATES[code], None),
            (self.key(code, "issuance"), self.key(code, "overdraft", owner), amount, self.key(code, "wallet", owner)),
        )

    async def load_cash(self, card: int, place: int, code: str, amount: int) -> None:
        reserve = reserve_book(self.issuer(code))
        await self.load(AccountKey(reserve, "due_from", self.venues[place].owner), card, code, amount)

    async def load_online(self, card: int, _: int, code: str, amount: int) -> None:
        await self.load(AccountKey(reserve_book(self.issuer(code)), "clearing", "bank"), card, code, amount)

    async def sell(self, card: int, place: int, code: str, amount: int) -> None:
        """Without network: whatever the card holds."""
        owner = CARDS[card]
        claim = self.key(code, "claim", self.venues[place].owner)
        wallet, overdraft = self.key(code, "wallet", owner), self.key(code, "overdraft", owner)
        self.sold.append(await self.moves("sale", (wallet, claim, amount, overdraft)))

    async def unknown_card(self, _: int, place: int, code: str, amount: int) -> None:
        claim = self.key(code, "claim", self.venues[place].owner)
        await self.moves("sale", (self.key(code, "suspense"), claim, amount, None))

    async def take_back(self, *_: object) -> None:
        if self.sold:
            id_ = self.sold.pop()
            original = (await self.ledger.booked([id_]))[id_]
            back = await self.ledger.reversal(
                original, uuid7(), actor="test", occurred_at_us=now_us(), business_day=date(2026, 11, 1)
            )
            await self.ledger.post_one(back)

    async def hand_in(self, _: int, place: int, code: str, amount: int) -> None:
        """A venue hands in cash; perhaps more than it owes."""
        reserve = reserve_book(self.issuer(code))
        due = AccountKey(reserve, "due_from", self.venues[place].owner)
        await self.moves("remittance", (AccountKey(reserve, "bank"), due, amount, None))

    async def act(self, step: tuple[str, int, int, str, int]) -> None:
        name, *rest = step
        await getattr(self, name)(*rest)

    async def worth(self) -> dict[str, int]:
        """What each venue is owed on balance, in euro cents, wherever it stands: claims, payables, less cash, fees."""
        found = dict.fromkeys([it.owner for it in self.venues], 0)
        for row in await self.ledger.balances(kinds=["claim", "payable", "due_from", "receivable"]):
            sign = -1 if row.key.kind in {"due_from", "receivable"} else 1
            if row.key.owner in found:
                found[row.key.owner] += sign * row.balance * RATES.get(row.key.book.currency, 1)
            if row.key.kind == "payable" and row.key.owner == NETWORK:
                # What an issuer owes the network is its debt, which the network's own book says once more.
                assert row.key.book.issuer == self.venues[0].owner
        return found

    async def until_done(self, step: Any, *arguments: Any, stops_after: int, **more: Any) -> Run:
        """Take a step; the server stops on its way, and whoever resumes takes it again."""
        self.ledger.lives = stops_after
        try:
            found: Run = await step(self.ledger, *arguments, **more)
        except Stopped:
            self.ledger.lives = None
            found = await step(self.ledger, *arguments, **more)
        self.ledger.lives = None
        return found

    async def settle(self, plan: Plan) -> None:
        run = await runs.begin(self.ledger, now_us(), plan.percent, actor="maker")
        run = await runs.freeze(self.ledger, run.id, actor="maker")
        async with self.engine.connect() as connection:
            frozen = await store.statements(connection, run.id)
        for step in plan.meanwhile:
            await self.act(step)
        await self.put_off(run, plan)
        out = [] if plan.left_out is None else [self.venues[plan.left_out].id]
        run = await runs.approve(self.ledger, run.id, leave_out=out, actor="approver")
        await self.sound()
        worth = await self.worth()
        run = await self.until_done(booking.book, run.id, actor="approver", stops_after=plan.stops_after)
        await self.sound()
        async with self.engine.connect() as connection:
            kept = await store.statements(connection, run.id)
        assert {it: (of.lines, of.frozen) for it, of in kept.items()} == {
            it: (of.lines, of.frozen) for it, of in frozen.items()
        }
        paid = {f"venue:{it.venue}": it.figures for it in kept.values() if it.settled and it.figures is not None}
        await self.explained(worth, paid)
        if any(of.payment for of in paid.values()):
            run = await self.until_done(paying.send, run.id, actor="maker", stops_after=plan.stops_after % 3)
            await self.sound()
            await self.bank_answers(run, plan)
        await runs.close(self.ledger, run.id, actor="maker")
        async with self.engine.connect() as connection:
            self.closed[run.id] = await store.statements(connection, run.id)

    async def put_off(self, run: Run, plan: Plan) -> None:
        """A part of everything that can wait of one venue; what is settled now and what waits is what was frozen."""
        if plan.later is None:
            return
        place, part = plan.later
        venue = self.venues[place].id
        async with self.engine.connect() as connection:
            of = (await store.statements(connection, run.id, venue)).get(venue)
        for line in of.lines if of is not None and of.frozen is not None else ():
            units = later.can_wait(of, line) // part if of is not None else 0
            if units:
                of = await later.put_off(self.ledger, run.id, venue, line.number, units, "Why", "person:x", actor="x")
        if of is not None and of.frozen is not None and of.figures is not None:
            assert of.figures.net + sum(it.cents for it in of.later) == of.frozen.net

    async def explained(self, worth: dict[str, int], paid: dict[str, Any]) -> None:
        """Booking changes what a venue is owed by its fees and what it bears of offline sales, and by nothing else."""
        after = await self.worth()
        async with self.engine.connect() as connection:
            run = (await store.runs(connection))[0]
            covers = await store.covers(connection, run.id)
        for venue in self.venues:
            of = paid.get(venue.owner)
            fees = 0 if of is None else of.new_fees + sum(it.fee for part in of.parts for it in part.redeemed)
            cleared = sum(it.paid for one in paid.values() for it in one.parts if it.issuer == venue.owner)
            borne = worth[venue.owner] - fees - cleared - after[venue.owner]
            most = sum(it.venue_units * RATES[it.currency] for it in covers if of and it.venue == venue.id)
            assert 0 <= borne <= most, (venue.owner, borne, most)
        central = reserve_book(NETWORK)
        for row in await self.ledger.balances(kinds=["payable"]):
            if row.key.book == central and row.key.owner.startswith("run:"):
                assert row.balance == 0, "the account between the issuers"

    async def bank_answers(self, run: Run, plan: Plan) -> None:
        async with self.engine.connect() as connection:
            sent = await paying.payments(connection, run.id)
        owed = await self.worth()
        failing = None if plan.fails is None else self.venues[plan.fails].id
        said = [Report(it.end_to_end, "rejected" if it.venue == failing else "executed", "") for it in sent]
        for _ in range(2):
            await paying.take_in(self.ledger, run.id, said, source="file", actor="maker")
        after = await self.worth()
        for it in sent:
            back = it.cents if it.venue == failing else 0
            assert after[f"venue:{it.venue}"] == owed[f"venue:{it.venue}"] + back
        await self.sound()

    async def sound(self) -> None:
        """Peg, Cover, floors and sums of the whole ledger; and what is closed is as it was."""
        report = await verify(self.engine)
        assert report.ok, report.findings
        for it in report.pegs:
            assert it.liability == it.issuance * it.cents_per_unit
        async with self.engine.connect() as connection:
            for id_, kept in self.closed.items():
                assert await store.statements(connection, id_) == kept


async def _found(engine: AsyncEngine, ledger: Ledger, cover: Cover) -> list[Venue]:
    async with engine.begin() as connection:
        for slug in ("u", "v", "w"):
            await add_venue(connection, slug, slug.upper(), "Europe/Paris", time(6), ())
        found = list((await venues(connection)).values())
        fee = Fee(500, 10, 100, payer="venue")
        for code, issuer in (("RAF", NETWORK), ("OWN", found[0].owner)):
            await add(connection, Currency(code, issuer, "pegged", Unit.CENT, code, code, "€", RATES[code], 0))
            await add_policy(connection, code, Policy(redeem=Redeem(who=("venues",), fee=fee)), 0, "test")
        settings = NetworkSettings(fee_vat_basis_points=2000, fee_tiers={"t": TIER}, venue_tiers={"w": "t"})
        await set_network(connection, "Le Comptoir", settings)
        await set_terms(connection, NETWORK, NetworkTerms(cover, bank_delay_h=0, answer_days=0), actor="test")
        await set_terms(connection, found[1].owner, VenueTerms(minimum_cents=300), actor="test")
    for subject in (NETWORK, *(it.owner for it in found)):
        change = await ask(engine, subject, Details("Holder", IBAN), actor="one")
        await decide(engine, change.id, "approved", actor="another")
    return found


async def _month(url: str, cover: Cover, story: Sequence[tuple[Sequence[Any], Plan]]) -> None:
    engine = create_engine(url)
    ledger = Mortal(engine, open_store(url, KEY))
    await ledger.start()
    try:
        month = Month(engine, ledger, await _found(engine, ledger, cover))
        for steps, plan in story:
            for step in steps:
                await month.act(step)
            await month.settle(plan)
    finally:
        await ledger.stop()
        await engine.dispose()


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
# A card without money, and its sale taken back after the freeze: nothing stands behind what was agreed to be paid.
@example("network", [([("sell", 0, 1, "OWN", 1000)], Plan(100, None, None, [("take_back", 0, 0, "OWN", 1)], 9))])
# Paid, covered by the network, then taken back: the card got money that no venue stands behind any more.
@example(
    "network",
    [
        ([("sell", 1, 0, "RAF", 3010)], Plan(100, None, 0, [], 9)),
        (
            [("take_back", 1, 0, "RAF", 1), ("sell", 1, 2, "RAF", 1759), ("unknown_card", 1, 0, "RAF", 846)],
            Plan(33, None, None, [], 2),
        ),
    ],
)
# Half of a claim, and of cash, waits; the next run settles it while more was sold.
@example(
    "shared",
    [
        (
            [("load_cash", 0, 2, "RAF", 2000), ("sell", 0, 2, "RAF", 1500), ("sell", 1, 2, "OWN", 500)],
            Plan(100, None, 2, [("take_back", 0, 0, "RAF", 1)], 9, (2, 2)),
        ),
        ([("sell", 0, 2, "RAF", 300)], Plan(100, None, None, [], 9)),
    ],
)
@given(cover=st.sampled_from(["network", "venue", "shared"]), story=stories)
def test_nothing_is_lost_and_nothing_is_paid_twice(
    sqlite_template: Path, tmp_path: Path, cover: Cover, story: Sequence[tuple[Sequence[Any], Plan]]
) -> None:
    path = tmp_path / "comptoir.sqlite3"
    shutil.copy(sqlite_template, path)
    for log in (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        log.unlink(missing_ok=True)
    asyncio.run(_month(f"sqlite+aiosqlite:///{path}", cover, story))
