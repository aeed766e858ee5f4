"""What is on around a town. Towns are those of the network's venues: nobody's phone is asked where it is. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import urlencode

from app.programme.rules import Place
from app.venues.point import Point, metres
from app.web import Texts

DISTANCES_KM: Final = (5, 10, 20, 50, 100)
USUAL_KM: Final = 20


@dataclass(frozen=True, slots=True)
class Near:
    """`km` around the middle of a town's venues."""

    town: str
    km: int

    def __str__(self) -> str:
        """As a follow keeps it."""
        return f"{self.km} {self.town}"

    @classmethod
    def read(cls, kept: str) -> Self | None:
        """Of `str()`, or of what somebody typed into an address."""
        km, _, town = kept.partition(" ")
        return cls(town, int(km)) if town and km in {str(it) for it in DISTANCES_KM} else None

    def text(self, texts: Texts) -> str:
        return texts.gettext("Within %(km)s km of %(town)s", km=self.km, town=self.town)

    @property
    def query(self) -> str:
        return urlencode({"town": self.town, "km": self.km})

    def slugs(self, places: Iterable[Place]) -> set[str]:
        """The venues in it; none where no venue of the town has said where it is."""
        known = list(places)
        middle = middle_of(self.town, known)
        if middle is None:
            return {it.slug for it in known if it.town == self.town}
        far = self.km * 1000
        return {
            it.slug
            for it in known
            if (it.point is not None and metres(middle, it.point) <= far) or (it.point is None and it.town == self.town)
        }


def towns(places: Iterable[Place]) -> list[str]:
    return sorted({it.town for it in places if it.town}, key=str.casefold)


def middle_of(town: str, places: Iterable[Place]) -> Point | None:
    points = [it.point for it in places if it.town == town and it.point is not None]
    if not points:
        return None
    return Point(sum(it.latitude for it in points) // len(points), sum(it.longitude for it in points) // len(points))
