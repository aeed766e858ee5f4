"""Points as people paste them, and how far they are apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.venues.point import Point, metres, point

RENNES, PARIS = Point(48_117_300, -1_677_800), Point(48_856_600, 2_352_200)
points = st.builds(Point, st.integers(-90_000_000, 90_000_000), st.integers(-180_000_000, 180_000_000))


@pytest.mark.parametrize(
    "text",
    [
        "48.1173, -1.6778",
        "48.1173/-1.6778",
        "https://www.openstreetmap.org/#map=17/48.1173/-1.6778",
        "https://maps.example/@48.1173,-1.6778,17z",
        "geo:48.1173,-1.6778",
    ],
)
def test_pasted_points(text: str) -> None:
    assert point(text) == RENNES


@pytest.mark.parametrize("text", ["", "Rennes", "48, -1", "98.1173, -1.6778", "48.1173, -181.6778"])
def test_what_is_no_point(text: str) -> None:
    assert point(text) is None


def test_a_known_distance() -> None:
    # 308 km from Rennes to Paris, as the crow flies.
    assert abs(metres(RENNES, PARIS) - 308_000) < 2_000


@given(points, points)
def test_distances(a: Point, b: Point) -> None:
    assert metres(a, a) == 0
    assert metres(a, b) == metres(b, a) <= 20_016_000


@given(points)
def test_written_points_are_read(it: Point) -> None:
    read = point(str(it))
    assert read is not None
    assert max(abs(read.latitude - it.latitude), abs(read.longitude - it.longitude)) <= 5
