"""The curve of a supply."""

from __future__ import annotations

import pytest

from app.money import Unit
from app.moneys.chart import chart


@pytest.mark.parametrize(
    ("amounts", "unit", "top"),
    [
        ([0], Unit.CENT, 100),
        ([0, 26_000], Unit.CENT, 30_000),
        ([0, 100_001], Unit.CENT, 200_000),
        ([90], Unit.MINUTE, 120),
        ([7], Unit.POINT, 10),
    ],
)
def test_its_upper_edge_is_a_round_amount_that_nothing_exceeds(amounts: list[int], unit: Unit, top: int) -> None:
    assert chart(amounts, unit).top == top


def test_it_begins_at_zero_and_steps_from_amount_to_amount() -> None:
    drawn = chart([0, 100, 50], Unit.CENT)
    assert drawn.line == "M0 300V0H500V150H1000"
    assert drawn.area == drawn.line + "V300H0Z"


def test_a_single_amount_is_a_level_line() -> None:
    assert chart([50], Unit.CENT).line == "M0 150H1000"
