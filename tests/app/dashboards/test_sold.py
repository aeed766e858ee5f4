"""A day's figures as rules: whatever was sold and taken back, they agree with each other."""

from __future__ import annotations

from datetime import date, time
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.dashboards.rules.sold import Details, Happened, Line, Rest, Share, Sold, Sum, Tender, hour_of, sold

VENUES = (UUID(int=1), UUID(int=2))
DAY = date(2026, 11, 26)


@st.composite
def days(draw: st.DrawFn) -> list[Happened]:
    """Sales of plain lines, cups and tips, by card, in cash or half by each, and gifts; some are taken back."""
    made: list[Happened] = []
    for number in range(draw(st.integers(1, 12))):
        kinds = st.sampled_from([None, None, "open", "deposit", "tip"])
        lines = tuple(
            Line(draw(st.sampled_from("abc")), draw(st.integers(1, 5)), draw(st.integers(1, 900)), code, draw(kinds))
            for code in draw(st.lists(st.sampled_from(["RAF", "TEMPS"]), min_size=1, max_size=4))
        )
        owed: dict[str, int] = {}
        for it in lines:
            owed[it.currency] = owed.get(it.currency, 0) + it.quantity * it.unit_price
        how = draw(st.sampled_from(["card", "cash", "both", "house"]))
        if how == "card":
            details = Details(lines, "04A0")
        elif how == "both":
            tenders = tuple(Tender(code, minor // 2) for code, minor in owed.items())
            rest = tuple(Rest("cash", code, minor - minor // 2) for code, minor in owed.items())
            details = Details(lines, "04A0", tenders, rest)
        else:
            rest = tuple(Rest(how, code, minor) for code, minor in owed.items())
            details = Details(lines, "", (), rest)
        hour = draw(st.none() | st.integers(6, 29))
        made.append(Happened(UUID(int=100 + number), draw(st.sampled_from(VENUES)), hour, details))
    back = [it for it in made if draw(st.booleans())]
    undone = [Happened(UUID(int=900 + place), it.venue, 29, it.details, it.id) for place, it in enumerate(back)]
    return made + undone


@settings(deadline=None)
@given(days())
def test_products_hours_and_what_was_paid_come_to_the_same(happened: list[Happened]) -> None:
    found = sold(happened)
    for (venue, code), total in found.totals.items():
        products = [of for (at, _, of_code), of in found.products.items() if (at, of_code) == (venue, code)]
        hours = [of for (at, of_code, _), of in found.hours.items() if (at, of_code) == (venue, code)]
        for name in ("card", "other"):
            assert sum(getattr(it, name) for it in products) == getattr(total, name)
            assert sum(getattr(it, name) for it in hours) == getattr(total, name)
        assert sum(it.count for it in hours) == total.count
    codes = {(at, code) for at, _, code in [*found.means, *found.aside]} | set(found.totals)
    for venue, code in codes:
        paid = sum(minor for (at, _, of_code), minor in found.means.items() if (at, of_code) == (venue, code))
        aside = sum(minor for (at, _, of_code), minor in found.aside.items() if (at, of_code) == (venue, code))
        assert paid == found.totals.get((venue, code), Sum()).total + aside


@settings(deadline=None)
@given(days())
def test_what_was_all_taken_back_comes_to_nothing(happened: list[Happened]) -> None:
    made = [it for it in happened if it.undoes is None]
    found = sold([*made, *(Happened(UUID(int=it.id.int + 900), it.venue, 7, it.details, it.id) for it in made)])
    sums: list[Sum] = [*found.products.values(), *found.hours.values(), *found.totals.values(), *found.gifts.values()]
    assert all(it == Sum() for it in sums)
    assert not any(found.means.values())
    assert not any(found.aside.values())


def test_a_sale_of_yesterday_is_taken_off_the_hour_of_its_void() -> None:
    line = Line("Demi", 2, 350, "RAF")
    void = Happened(UUID(int=1), VENUES[0], 20, Details((line,), "04A0"), UUID(int=7))
    assert sold([void]).hours == {(VENUES[0], "RAF", 20): Sum(-1, -700, 0)}
    today = Happened(UUID(int=7), VENUES[0], 18, Details((line,), "04A0"))
    assert sold([today, void]).hours == {(VENUES[0], "RAF", 18): Sum(0, 0, 0)}


def test_three_who_share_a_bottle_bought_one() -> None:
    parts = [Line("Bouteille", 1, 500, "RAF", None, Share(3, 1))] * 3
    found = sold(Happened(UUID(int=it), VENUES[0], 20, Details((part,), "04A0")) for it, part in enumerate(parts))
    assert found.products == {(VENUES[0], "Bouteille", "RAF"): Sum(Fraction(1), 1500, 0)}
    assert sold([]) == Sold()


@pytest.mark.parametrize(
    ("at_s", "hour"),
    [
        (1_795_687_200, 11),  # 11:00 in Paris
        (1_795_737_600, 25),  # 1:00 the night after
        (1_795_755_599, 29),  # a second before the cut-off
        (1_795_755_600, None),
        (1_795_669_199, None),
    ],
)
def test_hours_are_those_of_the_venue_s_clock(at_s: int, hour: int | None) -> None:
    assert hour_of(at_s * 1_000_000, DAY, "Europe/Paris", time(6)) == hour
