"""Points on the map, and how far one is from another. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

MICRO: Final = 1_000_000
# The mean radius of the Earth, in metres (IUGG).
_RADIUS_M: Final = 6_371_008
# "48.1173, -1.6778", also as it stands in the address of a map: "#map=17/48.1173/-1.6778", "@48.1173,-1.6778,17z".
_PAIR: Final = re.compile(r"(-?\d{1,2}\.\d{2,})\s*[,;/ ]\s*(-?\d{1,3}\.\d{2,})")


@dataclass(frozen=True, slots=True)
class Point:
    """Micro-degrees, north and east."""

    latitude: int
    longitude: int

    def __str__(self) -> str:
        return f"{self.latitude / MICRO:.5f}, {self.longitude / MICRO:.5f}"


def point(text: str) -> Point | None:
    """Of degrees with decimals, or of a map's address that holds them; None where there is none."""
    found = _PAIR.search(text)
    if found is None:
        return None
    north, east = (round(float(it) * MICRO) for it in found.groups())
    return Point(north, east) if abs(north) <= 90 * MICRO and abs(east) <= 180 * MICRO else None


def metres(a: Point, b: Point) -> int:
    """As the crow flies (haversine)."""
    north_a, east_a, north_b, east_b = (
        math.radians(it / MICRO) for it in (a.latitude, a.longitude, b.latitude, b.longitude)
    )
    half = math.sin((north_b - north_a) / 2) ** 2
    half += math.cos(north_a) * math.cos(north_b) * math.sin((east_b - east_a) / 2) ** 2
    return round(2 * _RADIUS_M * math.asin(min(1.0, math.sqrt(half))))
