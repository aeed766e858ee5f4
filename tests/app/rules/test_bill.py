"""A bill in parts loses no cent and favours nobody by more than one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.basket import Line
from app.rules.bill import PARTS_MAX, equal_parts, shares_of_line


def test_ten_euros_for_three() -> None:
    assert equal_parts([Line("beer", 2, 500, "RAF")], 3) == [[334], [333], [333]]


def test_what_one_line_leaves_over_goes_on_where_the_line_before_stopped() -> None:
    parts = equal_parts([Line("beer", 1, 400, "RAF"), Line("pie", 1, 350, "RAF")], 3)
    assert parts == [[134, 116], [133, 117], [133, 117]]


def test_nobody_divides_by_none_or_by_a_crowd() -> None:
    for parts in (0, -1, PARTS_MAX + 1):
        with pytest.raises(ValueError, match="parts"):
            equal_parts([], parts)


lines = st.lists(
    st.builds(Line, st.just("x"), st.integers(1, 9), st.integers(-500, 5000), st.sampled_from(["RAF", "TIME"])),
    min_size=1,
    max_size=6,
)


@given(lines, st.integers(1, 9))
def test_every_line_is_paid_whole_and_every_part_alike(bill: list[Line], parts: int) -> None:
    shares = equal_parts(bill, parts)
    for place, line in enumerate(bill):
        of_line = [part[place] for part in shares]
        assert sum(of_line) == line.quantity * line.unit_price
        assert set(of_line) <= set(shares_of_line(line.quantity * line.unit_price, parts))
    for code in ("RAF", "TIME"):
        totals = [
            sum(amount for amount, line in zip(part, bill, strict=True) if line.currency == code) for part in shares
        ]
        assert max(totals) - min(totals) <= 1
