"""The bound of docs/site-hub.md: what all tills of a site take from one card while the server is away.

Whenever a till sells, what all of them together took from the card beyond that till's snapshot is at most what the
snapshot says that the card holds, one card limit, and what was sold elsewhere before word of it came to this till. The
model knows by itself which word came: what a till pushed and the hub received, and what the hub had when it gave an
answer that arrived. Lines are cut, requests arrive whose answers are lost, answers come late and after other things,
tills and the hub lose their memory. Single tills reach the server for a moment, are paired late, and start with an
older snapshot than they had.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from readers.hub import Site
from readers.terminal.book import Book, Mark
from tests.readers.hub.tills import Back, Member, Move, serve, tills
from tests.readers.sync.fake_server import AWA, BOB, FakeServer

TILLS = 4
# Two of them: the hub, and one that was paired when the others had their snapshots already.
HUB, LATE = 0, 3
CARD_LIMIT, SALES_LIMIT, HOLDS = 4000, 6, {AWA: 1000, BOB: 0}
PROFILES = {
    "default": settings(max_examples=6, derandomize=True),
    "long": settings(max_examples=1000, derandomize=False),
}
SETTINGS = settings(
    PROFILES[os.environ.get("HYPOTHESIS_PROFILE", "default")],
    stateful_step_count=60,
    phases=(Phase.explicit, Phase.generate),
    deadline=None,
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
        # By till: the sales and voids of which word came to it.
        self.knows: list[set[UUID]] = [set() for _ in range(TILLS)]
        # How often the hub began anew, and with which run of it a till talks.
        self.run, self.runs = 0, [0] * TILLS
        # An answer of the hub that is still on its way, with what the hub knew when it gave it.
        self.late: dict[int, tuple[asyncio.Task[bool], set[UUID]]] = {}

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    @initialize()
    def open(self) -> None:
        fake = FakeServer()
        fake.limits = fake.limits.model_copy(update={"cards": {"RAF": {"C": (3000, CARD_LIMIT, SALES_LIMIT)}}})
        here = self.folder / uuid4().hex
        here.mkdir()
        self.tills: list[Member] = tills(here, fake, TILLS)
        self.server = Back(self.tills, HOLDS)
        for number, it in enumerate(self.tills):
            it.known.append(self.server.snapshot(it, self.tills if number == LATE else self.tills[:LATE]))
            self.do(it.start())
        serve(self.tills[HUB], self.tills[1:])
        for number in range(1, TILLS):
            assert self._talks(number)

    @property
    def moves(self) -> list[Move]:
        return [move for it in self.tills for move in it.moves]

    @rule(number=every, card=st.sampled_from(sorted(HOLDS)), quantity=st.integers(1, 6))
    def sell(self, number: int, card: str, quantity: int) -> None:
        sold = self.do(self.tills[number].sell(card, quantity))
        if isinstance(sold, str):
            return
        knows, snapshot = self.knows[number], self.tills[number].known[-1]
        knows.add(sold.event)
        undone = {move.undoes for move in self.moves}
        beyond = [move for move in self.moves if move.card == card and not snapshot.contains(move)]
        taken = {it.event: it.amount for it in beyond if not it.undoes and it.event not in undone}
        # Back on the card is what the snapshot took off it; another sale's void takes that sale out of `taken`.
        before = {move.event for move in self.moves if snapshot.contains(move)}
        back = sum(it.amount for it in beyond if it.undoes in before and it.event in knows)
        unheard = {sale: amount for sale, amount in taken.items() if sale not in knows}
        most = snapshot.holds[card] + back + CARD_LIMIT
        assert sum(taken.values()) <= most + sum(unheard.values()), "the bound on money"
        assert len(taken) <= SALES_LIMIT + len(unheard), "the bound on sales in a row"

    @rule(number=every, which=st.integers(0, 20))
    def undo(self, number: int, which: int) -> None:
        it = self.tills[number]
        undone = {move.undoes for move in it.moves}
        if sold := [move for move in it.moves if not move.undoes and move.event not in undone]:
            void = self.do(it.undo(sold[which % len(sold)]))
            self.knows[number].add(void.event)

    @rule()
    def tell_each_other(self) -> None:
        """As it goes while nothing is wrong: within a moment everybody knows."""
        for number in range(1, TILLS):
            self.push(number, answer_lost=False)
        for number in range(1, TILLS):
            self.pull(number)

    def _talks(self, number: int) -> bool:
        """Whether the till talks with some run of the hub, maybe with one that is over."""
        it = self.tills[number]
        self._arrive(number)
        if it.talk is None and self.do(it.connect()):
            self.runs[number] = self.run
        return it.talk is not None

    @rule(number=others, answer_lost=st.booleans())
    def push(self, number: int, answer_lost: bool) -> None:
        it = self.tills[number]
        if not self._talks(number):
            return
        told, before = {move.event for move in it.moves}, it.wire.reached
        it.wire.deaf = answer_lost
        through = self.do(it.push())
        it.wire.deaf = False
        # One that has nothing new to tell does not notice that the hub began anew, and forgot.
        if it.wire.reached > before or (through and self.runs[number] == self.run):
            self.knows[HUB] |= told

    @rule(number=others)
    def pull(self, number: int) -> None:
        if not self._talks(number):
            return
        given = self._given(number)
        if self.do(self.tills[number].pull()):
            self.knows[number] |= given

    def _given(self, number: int) -> set[UUID]:
        """What the hub knows, of tills that this one's snapshot names."""
        named = {peer.device for peer in self.tills[number].known[-1].peers}
        return {move.event for move in self.moves if move.device in named and move.event in self.knows[HUB]}

    @rule(number=others)
    def pull_that_comes_late(self, number: int) -> None:
        """The hub answers now; its answer arrives after whatever happens next."""
        it = self.tills[number]
        if not self._talks(number):
            return

        async def ask() -> asyncio.Task[bool]:
            it.wire.gate, it.wire.answered = asyncio.Event(), asyncio.Event()
            asked = asyncio.create_task(it.pull())
            await asyncio.wait([asked, asyncio.create_task(it.wire.answered.wait())], return_when="FIRST_COMPLETED")
            return asked

        given = self._given(number)
        self.late[number] = self.do(ask()), given

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

    @rule(number=every, older=st.booleans())
    def restart(self, number: int, older: bool) -> None:
        """What others told is gone from memory, and has to come again. `older`: the last snapshot was not stored."""
        for one in list(self.late) if number == HUB else [number]:
            self._arrive(one)
        it = self.tills[number]
        self.do(it.close())
        if older and len(it.known) > 1:
            it.known.pop()
        self.do(it.start())
        self.knows[number] = {move.event for move in it.moves}
        if number == HUB:
            self.run += 1
            serve(it, self.tills[1:])

    @rule(number=every, percent=st.none() | st.integers(0, 100), refreshes=st.booleans())
    def reach_the_server(self, number: int, percent: int | None, refreshes: bool) -> None:
        """One till has network for a moment: it delivers (so much of it is booked), or gets a snapshot, or both."""
        it = self.tills[number]
        self._arrive(number)
        if percent is not None:
            self.do(self.server.receive(it, percent))
        if refreshes:
            it.known.append(self.server.snapshot(it, self.tills))
            self.do(it.install())

    def teardown(self) -> None:
        try:
            if hasattr(self, "tills"):
                self.ends()
        finally:
            self.close()

    def close(self) -> None:
        for it in getattr(self, "tills", ()):
            self.do(it.close())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    def ends(self) -> None:
        """Once the lines hold, word of everything comes to everybody: nobody can spend again what is spent."""
        self.heal()
        for number in range(TILLS):
            self.reach_the_server(number, None, refreshes=True)
        for _ in range(2):
            self.tell_each_other()
        assert all({move.event for move in self.moves} <= known for known in self.knows), "word comes to everybody"
        for number in range(TILLS):
            for _ in range(SALES_LIMIT + 1):
                self.sell(number, BOB, 1)
            self.tell_each_other()
        self._one_view()
        for it in self.tills:
            self.do(self.server.receive(it))
        for number in range(TILLS):
            self.reach_the_server(number, None, refreshes=True)
        self._one_view()
        for card in HOLDS:
            view = self.tills[HUB].book.card(card, "C")
            assert view is not None
            assert (view.consecutive, dict(view.available)["RAF"]) == (0, self.tills[HUB].known[-1].holds[card]), "once"

    def _one_view(self) -> None:
        for card in HOLDS:
            views = [it.book.card(card, "C") for it in self.tills]
            assert views.count(views[0]) == TILLS, f"one card, one view: {views}"


def holds_through_a_night(folder: Path) -> None:
    class Here(Night):
        pass

    Here.folder = folder
    run_state_machine_as_test(Here, settings=SETTINGS)


def a_night(folder: Path, steps: Callable[[Night], None]) -> None:
    """These steps, and the end of every night."""

    class Here(Night):
        pass

    Here.folder = folder
    night = Here()
    try:
        night.open()
        steps(night)
        night.ends()
    finally:
        night.close()


def test_a_busy_night_throttles_no_till(tmp_path: Path) -> None:
    """Faster than a hub lets one stranger knock."""

    def busy(night: Night) -> None:
        for _ in range(25):
            night.tell_each_other()

    a_night(tmp_path, busy)


def test_a_hub_that_begins_anew_knows_what_it_is_told_again_and_not_before(tmp_path: Path) -> None:
    """A till with nothing new to tell has not told the new run of the hub anything."""

    def anew(night: Night) -> None:
        night.sell(1, BOB, 6)
        night.push(1, answer_lost=False)
        sold = night.tills[1].moves[0].event
        assert sold in night.knows[HUB]
        night.restart(HUB, older=False)
        night.push(1, answer_lost=False)
        assert sold not in night.knows[HUB]
        night.sell(HUB, BOB, 6)
        night.pull(1)
        night.push(1, answer_lost=False)
        assert sold in night.knows[HUB]

    a_night(tmp_path, anew)


def test_what_a_till_sold_before_others_knew_of_it_counts_once_they_do(tmp_path: Path) -> None:
    """It was paired after their snapshots: what it sold reached them through the hub before its key did."""

    def late(night: Night) -> None:
        night.reach_the_server(HUB, None, refreshes=True)
        night.sell(LATE, BOB, 6)
        night.tell_each_other()
        assert night.knows[1].isdisjoint(night.knows[LATE])
        night.reach_the_server(1, None, refreshes=True)
        night.pull(1)
        assert night.knows[1] >= night.knows[LATE]
        night.sell(1, BOB, 6)

    a_night(tmp_path, late)


def test_what_all_tills_take_from_one_card_stays_within_the_bound(tmp_path: Path) -> None:
    holds_through_a_night(tmp_path)


def nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Site, "_count", lambda *_: None)


def nothing_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    since = Site.since

    def own_only(it: Site, known: int, reader: UUID | None = None, own: bool = False) -> Any:
        return since(it, known, reader, own=True)

    monkeypatch.setattr(Site, "since", own_only)


def nothing_is_told_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a start a till tells only what it sells from then on."""
    publish = Site.publish

    async def only_new(it: Site) -> None:
        if it._published is None:
            it._published = it._journal.head
        await publish(it)

    monkeypatch.setattr(Site, "publish", only_new)


def others_rows_are_in_no_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the server booked of another till's counts once more."""
    made = Book.__init__

    def without_marks(it: Book, epoch: int, mark: Mark, cards: Any, entries: Any = (), others: Any = None) -> None:
        made(it, epoch, mark, cards, entries, None)

    monkeypatch.setattr(Book, "__init__", without_marks)


@pytest.mark.parametrize(
    "broken", [nothing_is_counted, nothing_is_passed_on, nothing_is_told_anew, others_rows_are_in_no_snapshot]
)
def test_the_night_is_long_enough_to_find_a_hub_that_does_not_share(
    broken: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    with pytest.raises(AssertionError, match=r"the bound|one card, one view|once"):
        holds_through_a_night(tmp_path)
