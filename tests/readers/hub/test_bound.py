"""The bound of docs/site-hub.md: what all tills of a site take from one card while the server is away.

Whenever a till sells, all of them together have taken at most what the card holds, one card limit, and what was sold
elsewhere before word of it came to this till. The model knows by itself which word came: what a till pushed and the hub
received, and what the hub had when it gave an answer that arrived. Lines are cut, requests arrive whose answers are
lost, answers come late and after other things, tills and the hub lose their memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from readers.hub import Site
from tests.readers.hub.tills import Member, serve, tills
from tests.readers.sync.fake_server import AWA, BOB, FakeServer

TILLS = 4
HUB = 0
CARD_LIMIT, SALES_LIMIT, HOLDS = 4000, 6, {AWA: 1000, BOB: 0}
SETTINGS = settings(
    max_examples=6,
    stateful_step_count=60,
    phases=(Phase.explicit, Phase.generate),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)

every = st.integers(0, TILLS - 1)
others = st.integers(1, TILLS - 1)


class Night(RuleBasedStateMachine):
    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        # By till: the sales of whose taking word came to it.
        self.knows: list[set[UUID]] = [set() for _ in range(TILLS)]
        # An answer of the hub that is still on its way, with what the hub knew when it gave it.
        self.late: dict[int, tuple[asyncio.Task[bool], set[UUID]]] = {}

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    @initialize()
    def open(self) -> None:
        fake = FakeServer()
        fake.limits = fake.limits.model_copy(update={"cards": {"RAF": {"C": (3000, CARD_LIMIT, SALES_LIMIT)}}})
        for card, holds in HOLDS.items():
            fake.balances[card]["RAF"] = holds
        here = self.folder / uuid4().hex
        here.mkdir()
        self.tills: list[Member] = tills(here, fake, TILLS)
        for it in self.tills:
            self.do(it.start())
        serve(self.tills[HUB], self.tills[1:])
        for it in self.tills[1:]:
            assert self.do(it.connect())

    @rule(number=every, card=st.sampled_from(sorted(HOLDS)), quantity=st.integers(1, 6))
    def sell(self, number: int, card: str, quantity: int) -> None:
        ended = self.do(self.tills[number].sell(card, quantity))
        if isinstance(ended, str):
            return
        self.knows[number].add(ended[0])
        taken = {sale: amount for it in self.tills for sale, (of, amount) in it.sold.items() if of == card}
        unheard = {sale: amount for sale, amount in taken.items() if sale not in self.knows[number]}
        assert sum(taken.values()) <= HOLDS[card] + CARD_LIMIT + sum(unheard.values()), "the bound on money"
        assert len(taken) <= SALES_LIMIT + len(unheard), "the bound on sales in a row"

    @rule(number=every, which=st.integers(0, 20))
    def undo(self, number: int, which: int) -> None:
        if sold := sorted(self.tills[number].sold):
            self.do(self.tills[number].undo(sold[which % len(sold)]))

    @rule()
    def tell_each_other(self) -> None:
        """As it goes while nothing is wrong: within a moment everybody knows."""
        for number in range(1, TILLS):
            self.push(number, answer_lost=False)
        for number in range(1, TILLS):
            self.pull(number)

    @rule(number=others, answer_lost=st.booleans())
    def push(self, number: int, answer_lost: bool) -> None:
        it = self.tills[number]
        self._arrive(number)
        if it.talk is None and not self.do(it.connect()):
            return
        told = set(it.sold)
        it.wire.deaf = answer_lost
        through = self.do(it.push())
        it.wire.deaf = False
        if through:
            self.knows[HUB] |= told

    @rule(number=others)
    def pull(self, number: int) -> None:
        it = self.tills[number]
        self._arrive(number)
        if it.talk is None and not self.do(it.connect()):
            return
        given = set(self.knows[HUB])
        if self.do(it.pull()):
            self.knows[number] |= given

    @rule(number=others)
    def pull_that_comes_late(self, number: int) -> None:
        """The hub answers now; its answer arrives after whatever happens next."""
        it = self.tills[number]
        self._arrive(number)
        if it.talk is None and not self.do(it.connect()):
            return

        async def ask() -> asyncio.Task[bool]:
            it.wire.gate, it.wire.answered = asyncio.Event(), asyncio.Event()
            asked = asyncio.create_task(it.pull())
            await asyncio.wait([asked, asyncio.create_task(it.wire.answered.wait())], return_when="FIRST_COMPLETED")
            return asked

        self.late[number] = self.do(ask()), set(self.knows[HUB])

    @rule(number=others)
    def arrive(self, number: int) -> None:
        self._arrive(number)

    def _arrive(self, number: int) -> None:
        if number not in self.late:
            return
        asked, given = self.late.pop(number)
        wire = self.tills[number].wire
        if wire.gate:
            wire.gate.set()
            wire.gate = None
        if self.do(asyncio.wait_for(asked, 10)):
            self.knows[number] |= given

    @rule(number=others)
    def cut(self, number: int) -> None:
        self._arrive(number)
        self.tills[number].wire.down = True

    @rule()
    def heal(self) -> None:
        for it in self.tills:
            it.wire.down = False

    @rule(number=every)
    def restart(self, number: int) -> None:
        """What others told is gone from memory, and has to come again."""
        for one in list(self.late) if number == HUB else [number]:
            self._arrive(one)
        it = self.tills[number]
        self.do(it.close())
        self.do(it.start())
        self.knows[number] = set(it.sold)
        if number == HUB:
            serve(it, self.tills[1:])

    def teardown(self) -> None:
        try:
            if hasattr(self, "tills"):
                self._ends()
        finally:
            for it in getattr(self, "tills", ()):
                self.do(it.close())
            self.loop.run_until_complete(self.loop.shutdown_default_executor())
            self.loop.close()

    def _ends(self) -> None:
        """Once the lines hold, word of everything comes to everybody: nobody can spend again what is spent."""
        self.heal()
        for _ in range(2):
            self.tell_each_other()
        taken = {sale for it in self.tills for sale in it.sold}
        assert all(taken <= known for known in self.knows), "word comes to everybody"
        for number in range(TILLS):
            for _ in range(SALES_LIMIT + 1):
                self.sell(number, BOB, 1)
            self.tell_each_other()
        for card in HOLDS:
            views = [it.shelf.book.card(card, "C") for it in self.tills if it.shelf.book]
            assert len({(view.consecutive, *view.unbacked.values()) for view in views if view}) == 1, (
                "one card, one view"
            )


def holds_through_a_night(folder: Path) -> None:
    class Here(Night):
        pass

    Here.folder = folder
    run_state_machine_as_test(Here, settings=SETTINGS)


def test_what_all_tills_take_from_one_card_stays_within_the_bound(tmp_path: Path) -> None:
    holds_through_a_night(tmp_path)


def nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Site, "_count", lambda *_: None)


def nothing_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    since = Site.since

    def own_only(it: Site, known: int, reader: UUID | None = None, own: bool = False) -> Any:
        return since(it, known, reader, own=True)

    monkeypatch.setattr(Site, "since", own_only)


@pytest.mark.parametrize("broken", [nothing_is_counted, nothing_is_passed_on])
def test_the_night_is_long_enough_to_find_a_hub_that_does_not_share(
    broken: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    with pytest.raises(AssertionError, match="the bound"):
        holds_through_a_night(tmp_path)
