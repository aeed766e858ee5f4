"""Hypothesis drives the real ledger, on both databases, against a model that is a dictionary.

After every step each answer, each balance and each hold is the model's, and `verify` has nothing to say: books, Peg,
Cover, floors, running balances, numbers, reversals, guards and seals. The profile "long" (HYPOTHESIS_PROFILE=long)
looks for hours where the default looks for seconds.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy.ext.asyncio import AsyncEngine

from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Entry, Hold, Operation, Outcome, Posting, Refused, Release, Tombstone
from app.ledger.service import Ledger
from app.ledger.tables import account
from app.ledger.verify import verify
from app.platform.database import create_engine
from app.rules.ids import uuid7
from tests.app.ledger.conftest import KEY, KEYS, RAF
from tests.app.ledger.model import Model

pytestmark = pytest.mark.faults

# What fails is told as it was found, within seconds; the long profile then finds the shortest story that fails.
QUICKLY = (Phase.explicit, Phase.reuse, Phase.generate)
PROFILES = {
    "default": settings(max_examples=12, stateful_step_count=15, phases=QUICKLY),
    "long": settings(max_examples=2000, stateful_step_count=60),
}
SETTINGS = settings(
    PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "default")],
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
NAMES = {**KEYS, "bob overdraft": AccountKey(RAF, "overdraft", "wallet:bob")}
START_US = 1_700_000_000_000_000

amounts = st.one_of(st.integers(1, 6), st.integers(1, 120))
picks = st.integers(0, 30)
people = st.sampled_from(["alice", "bob"])
expiries = st.sampled_from([-1, 1_000_000, 2**50])


class Clock:
    """The process's clock, which may be set back."""

    def __init__(self) -> None:
        self.now_us = START_US

    def __call__(self) -> int:
        return self.now_us


class Wishes:
    """Entries in the words of the trade, made from what happened so far."""

    def __init__(self, ids: dict[str, int]) -> None:
        self.ids = ids

    def topup(self, who: str, amount: int) -> Operation:
        """Paid online; repays an overdraft first."""
        return self._operation(
            ("clearing", "liability", amount), ("issuance", f"{who} overdraft", amount, {"credit_overflow": who})
        )

    def cash_topup(self, who: str, amount: int) -> Operation:
        return self._operation(("due from bar", "liability", amount), ("issuance", who, amount))

    def spend(self, who: str, amount: int) -> Operation:
        return self._operation((who, "claim", amount))

    def spend_offline(self, who: str, amount: int) -> Operation:
        sale = self._operation((who, "claim", amount, {"debit_overflow": f"{who} overdraft"}))
        return replace(sale, overrides_refusal=True)

    def spend_two_currencies(self, amount: int, minutes: int) -> Operation:
        return self._operation(("alice", "claim", amount), ("alice hours", "hours claim", minutes))

    def cup_out(self, who: str, amount: int) -> Operation:
        return self._operation((who, "claim", amount), (who, "deposits", 1))

    def shift(self, minutes: int) -> Operation:
        return self._operation(("hours issued", "alice hours", minutes))

    def redeem(self, amount: int) -> Operation:
        return self._operation(("claim", "issuance", amount), ("liability", "payable bar", amount))

    def pay_out(self, amount: int) -> Operation:
        return self._operation(("clearing", "bank", amount), ("payable bar", "bank", amount))

    def nonsense(self, who: str, amount: int, money: bool) -> Operation:
        """Units without their euros, or minutes turned into money."""
        if money:
            return self._operation(("issuance", who, amount), ("clearing", "liability", amount + 1))
        return self._operation((who, "claim", 1), ("alice hours", "claim", amount))

    def hold(self, who: str, amount: int, for_us: int) -> Hold:
        mark = sha256(f"{who} {amount}".encode()).digest()
        return Hold(uuid7(), mark, self.ids[who], amount, START_US + for_us, "test")

    def _operation(self, *rows: tuple[object, ...]) -> Operation:
        postings = []
        for debit, credit, amount, *more in rows:
            overflows = {name: self.ids[who] for name, who in (more[0] if more else {}).items()}  # type: ignore[attr-defined]
            postings.append(Posting(self.ids[debit], self.ids[credit], amount, **overflows))  # type: ignore[index, arg-type]
        return operation(postings)


def operation(postings: Sequence[Posting], **more: object) -> Operation:
    mark = sha256(repr(postings).encode()).digest()
    fields = {"actor": "test", "occurred_at_us": START_US, "business_day": date(2023, 11, 14), **more}
    return Operation(uuid7(), "test", mark, tuple(postings), **fields)  # type: ignore[arg-type]


Wish = Callable[["LedgerMachine"], Entry | None]


def _wish(name: str, *arguments: st.SearchStrategy[object]) -> st.SearchStrategy[Wish]:
    return st.tuples(*arguments).map(lambda a: lambda machine: getattr(machine, name)(*a))


def _simple(name: str, *arguments: st.SearchStrategy[object]) -> st.SearchStrategy[Wish]:
    return st.tuples(*arguments).map(lambda a: lambda machine: getattr(machine.wishes, name)(*a))


entries: st.SearchStrategy[Wish] = st.one_of(
    _simple("topup", people, amounts),
    _simple("cash_topup", people, amounts),
    _simple("spend", people, amounts),
    _simple("spend_offline", people, amounts),
    _simple("spend_offline", people, amounts),
    _simple("spend_two_currencies", amounts, amounts),
    _simple("cup_out", people, amounts),
    _simple("shift", amounts),
    _simple("redeem", amounts),
    _simple("pay_out", amounts),
    _simple("nonsense", people, amounts, st.booleans()),
    _simple("hold", people, amounts, expiries),
    _simple("hold", people, amounts, expiries),
    _simple("hold", people, amounts, expiries),
    _wish("capture", picks, amounts),
    _wish("capture", picks, amounts),
    _wish("release", picks),
    _wish("reverse_whole", picks),
    _wish("reverse_part", picks, picks, amounts),
    _wish("again", picks),
    _wish("other_content", picks, amounts),
    _wish("delivered_after_refusal", picks),
    _wish("tombstone", picks),
    _wish("tombstone_first", people, amounts),
)


class LedgerMachine(RuleBasedStateMachine):
    """One example: a fresh database, a ledger on it, and the model beside it."""

    make_database: Callable[[], str]
    drop_database: Callable[[str], None]
    clock: Clock

    @initialize()
    def open(self) -> None:
        self.clock.now_us = START_US
        self.url = self.make_database()
        self.runner = asyncio.Runner()
        self.engine: AsyncEngine = create_engine(self.url)
        self.ledger = self.runner.run(self._started())
        ids = self.runner.run(self.ledger.accounts(list(NAMES.values()), {"RAF": 1}))
        self.ids = dict(zip(NAMES, ids, strict=True))
        books = {it: hash(key.book) for it, key in zip(ids, NAMES.values(), strict=True)}
        names = {id_: name for name, id_ in self.ids.items()}
        self.model = Model(names, books, [(self.ids["liability"], self.ids["issuance"])])
        self.wishes = Wishes(self.ids)
        self.asked: list[Entry] = []
        for wish in (self.wishes.topup("alice", 100), self.wishes.cash_topup("bob", 60), self.wishes.shift(60)):
            self._post([lambda _, wish=wish: wish], at_once=False)  # type: ignore[misc]

    async def _started(self) -> Ledger:
        ledger = Ledger.open(self.engine, self.url, KEY)
        await ledger.start()
        return ledger

    @rule(wish=entries)
    def one(self, wish: Wish) -> None:
        self._post([wish], at_once=False)

    @rule(wishes=st.lists(entries, min_size=2, max_size=8), at_once=st.booleans())
    def several(self, wishes: list[Wish], at_once: bool) -> None:
        """In one list, or each by a caller of its own in the same moment."""
        self._post(wishes, at_once)

    @rule(forward_us=st.sampled_from([-5_000_000, -1, 1, 700_000, 2_000_000]))
    def clock_steps(self, forward_us: int) -> None:
        self.clock.now_us += forward_us

    @rule()
    def holds_expire(self) -> None:
        now = self.clock.now_us
        due = [id_ for id_, it in self.model.holds.items() if it.ended is None and it.expires_at_us < now]
        assert self.runner.run(self.ledger.release_expired()) == len(due)
        self.model.post([Release(id_, "expired") for id_ in due], now)

    def capture(self, pick: int, amount: int) -> Entry | None:
        if not self.model.holds:
            return None
        id_, hold = list(self.model.holds.items())[pick % len(self.model.holds)]
        return operation([Posting(hold.account, self.ids["claim"], amount)], captures=id_)

    def release(self, pick: int) -> Entry | None:
        holds = [*self.model.holds, uuid7()]
        return Release(holds[pick % len(holds)])

    def reverse_whole(self, pick: int) -> Entry | None:
        if (id_ := self._booked(pick)) is None:
            return None
        return self.runner.run(self._reversal(id_))

    async def _reversal(self, id_: UUID) -> Operation:
        original = (await self.ledger.booked([id_]))[id_]
        day = date(2023, 11, 14)
        return await self.ledger.reversal(original, uuid7(), actor="test", occurred_at_us=START_US, business_day=day)

    def reverse_part(self, pick: int, which: int, amount: int) -> Entry | None:
        if (id_ := self._booked(pick)) is None:
            return None
        transfers = self.model.booked[id_][1].transfers
        it = transfers[which % len(transfers)]
        posting = Posting(it.credit, it.debit, min(amount, it.amount + 1), reverses=it.id)
        return operation([posting], reverses=id_)

    def again(self, pick: int) -> Entry | None:
        return self.asked[pick % len(self.asked)] if self.asked else None

    def other_content(self, pick: int, amount: int) -> Entry | None:
        entry = self.again(pick)
        return replace(entry, fingerprint=bytes([amount] * 32)) if isinstance(entry, Operation | Hold) else None

    def delivered_after_refusal(self, pick: int) -> Entry | None:
        """A sale that was refused, and then poured by a terminal without network."""
        entry = self.again(pick)
        if not isinstance(entry, Operation):
            return None
        overflow = {self.ids[who]: self.ids[f"{who} overdraft"] for who in ("alice", "bob")}
        postings = tuple(
            replace(it, debit_overflow=overflow.get(it.debit)) if it.reverses is None else it for it in entry.postings
        )
        return replace(entry, postings=postings, overrides_refusal=True)

    def tombstone(self, pick: int) -> Entry | None:
        entry = self.again(pick)
        return Tombstone(entry.id, "test") if isinstance(entry, Operation | Tombstone) else None

    def tombstone_first(self, who: str, amount: int) -> Entry | None:
        self.asked.append(self.wishes.spend(who, amount))
        return Tombstone(self.asked[-1].id, "test")

    def _booked(self, pick: int) -> UUID | None:
        booked = list(self.model.booked)
        return booked[pick % len(booked)] if booked else None

    def _post(self, wishes: Sequence[Wish], at_once: bool) -> None:
        wanted = [entry for wish in wishes if (entry := wish(self)) is not None]
        if not wanted:
            return
        self.asked += wanted
        outcomes = self.runner.run(self._outcomes(wanted, at_once))
        expected = self.model.post(wanted, self.clock.now_us)
        assert [_told(it) for it in outcomes] == [_told(it) for it in expected]

    async def _outcomes(self, wanted: list[Entry], at_once: bool) -> list[Outcome]:
        if not at_once:
            return await self.ledger.post(wanted)
        answers = await asyncio.gather(*(self.ledger.post([entry]) for entry in wanted))
        return [answer[0] for answer in answers]

    @invariant()
    def the_ledger_is_as_the_model(self) -> None:
        self.runner.run(self._check())

    async def _check(self) -> None:
        async with self.engine.connect() as connection:
            rows = await connection.execute(sa.select(account.c.id, account.c.balance, account.c.held))
            found = {self.model.names[row.id]: (row.balance, row.held) for row in rows}
        assert found == {name: (self.model.balance(it), self.model.held(it)) for it, name in self.model.names.items()}
        report = await verify(self.engine, KEY.public_key())
        assert report.findings == []
        assert (report.operations, report.transfers) == (self.model.operations, len(self.model.moved))

    def teardown(self) -> None:
        if not hasattr(self, "runner"):
            return
        self.runner.run(self._closed())
        self.runner.close()
        self.drop_database(self.url)

    async def _closed(self) -> None:
        await self.ledger.stop()
        await self.engine.dispose()


def _told(outcome: Outcome) -> Outcome:
    """A refusal that is told again no longer says at which account."""
    return replace(outcome, account=None) if isinstance(outcome, Refused) and outcome.replayed else outcome


@pytest.mark.usefixtures("anyio_backend")
def test_the_ledger_does_what_a_dictionary_would(
    template: Path | tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    for room in ("service", "pipeline"):
        monkeypatch.setattr(f"app.ledger.{room}.now_us", clock)
    # The sweeper of holds has a rule of its own; it must not come in between.
    monkeypatch.setattr("app.ledger.service.SWEEP_EVERY_S", 10**6)

    class Machine(LedgerMachine):
        pass

    Machine.clock = clock
    if isinstance(template, Path):
        source = template
        Machine.make_database = staticmethod(lambda: _copied(source, tmp_path))
        Machine.drop_database = staticmethod(lambda _: None)
    else:
        server, name = template
        Machine.make_database = staticmethod(lambda: _cloned(server, name))
        Machine.drop_database = staticmethod(lambda url: _dropped(server, url))
    run_state_machine_as_test(Machine, settings=SETTINGS)


def _copied(source: Path, folder: Path) -> str:
    path = folder / f"{uuid.uuid4().hex}.sqlite3"
    shutil.copy(source, path)
    return f"sqlite+aiosqlite:///{path}"


def _cloned(server: str, source: str) -> str:
    name = f"test_{uuid.uuid4().hex}"
    asyncio.run(_administer(server, f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY file_copy"))
    return server.format(db=name).replace("postgresql://", "postgresql+asyncpg://")


def _dropped(server: str, url: str) -> None:
    asyncio.run(_administer(server, f"DROP DATABASE {sa.make_url(url).database} WITH (FORCE)"))


async def _administer(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server.format(db="postgres"))
    await connection.execute(statement)
    await connection.close()
