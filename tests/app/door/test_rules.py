"""Who comes in: whatever is shown at a door in whatever order, one ticket is one person."""

from __future__ import annotations

from random import Random
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules.door import AFTER_END_US, Direction, Opening, Passage, decide, doubtful, inside

OPEN = Opening(1_000, 9_000)


def test_each_reason_has_its_answer() -> None:
    came = [Passage("in", 2_000, "Bar")]
    assert decide("valid", OPEN, [], "in", 2_000).answer == "in"
    again = decide("valid", OPEN, came, "in", 3_000)
    assert (again.answer, again.passes, again.last) == ("inside", False, came[0])
    assert decide("valid", OPEN, [*came, Passage("out", 2_500, "Bar")], "in", 3_000).answer == "again"
    assert decide("refunded", OPEN, came, "out", 3_000).answer == "out"
    assert decide("refunded", OPEN, [], "in", 3_000).answer == "refunded"
    assert decide("void", OPEN, [], "in", 3_000).answer == "void"
    assert decide("valid", OPEN, [], "out", 3_000).answer == "not_inside"
    assert decide("valid", OPEN, [], "in", 3_000, here=False).answer == "wrong_event"
    assert decide("valid", OPEN, [], "in", 900).answer == "early"
    assert decide("valid", OPEN, [], "in", 900, anyway=True).answer == "in"
    assert decide("valid", OPEN, [], "in", 9_000 + AFTER_END_US).answer == "over"


shown = st.tuples(st.integers(0, 3), st.sampled_from(["in", "out"]), st.sampled_from(["valid", "valid", "refunded"]))


@settings(max_examples=60)
@given(st.lists(shown, max_size=30))
def test_one_terminal_lets_nobody_in_twice(turns: list[tuple[int, Direction, Literal["valid", "refunded"]]]) -> None:
    known: dict[int, list[Passage]] = {}
    for at, (ticket, direction, state) in enumerate(turns, 1_000):
        seen = known.setdefault(ticket, [])
        was_inside = ticket in inside(known)
        decision = decide(state, OPEN, seen, direction, at)
        if decision.passes:
            assert was_inside == (direction == "out")
            assert direction == "out" or state == "valid"
            seen.append(Passage(direction, at, "Bar"))
    assert not any(doubtful(seen) for seen in known.values())


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(["in", "out"]), st.integers(0, 20)), max_size=12), st.randoms())
def test_what_is_doubtful_does_not_hang_on_the_order_in_which_it_was_told(
    told: list[tuple[Direction, int]], random: Random
) -> None:
    seen = [Passage(direction, at, "Bar") for direction, at in told]
    mixed = list(seen)
    random.shuffle(mixed)
    assert [(a.at_us, b.at_us) for a, b in doubtful(seen)] == [(a.at_us, b.at_us) for a, b in doubtful(mixed)]
    assert inside({"t": seen}) == inside({"t": mixed})
