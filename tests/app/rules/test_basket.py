"""What a basket costs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.rules.basket import Line, totals

lines = st.lists(
    st.builds(Line, st.text(max_size=3), st.integers(1, 999), st.integers(0, 10**9), st.sampled_from(["RAF", "TIME"])),
    max_size=10,
)


@given(lines, st.randoms(use_true_random=False))
def test_the_order_of_the_lines_costs_nothing(basket: list[Line], chance: object) -> None:
    shuffled = list(basket)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert totals(shuffled) == totals(basket)


@given(lines, lines)
def test_two_baskets_cost_what_they_cost_together(one: list[Line], other: list[Line]) -> None:
    together = totals(one + other)
    for currency in ("RAF", "TIME"):
        assert together.get(currency, 0) == totals(one).get(currency, 0) + totals(other).get(currency, 0)


@given(lines)
def test_what_costs_nothing_is_not_named(basket: list[Line]) -> None:
    assert all(amount > 0 for amount in totals(basket).values())
