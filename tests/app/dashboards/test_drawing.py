"""Charts: axes that begin at zero with round marks, nothing outside of the picture, and words for who cannot see it."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.dashboards.drawing.bars import Bar, Draw, Keys, lying, paired, standing
from app.dashboards.drawing.frame import NARROW, WIDE, Writing
from app.dashboards.drawing.lines import Line, lines
from app.dashboards.drawing.scale import STEPS_MAX, tick_text, ticks
from app.dashboards.drawing.svg import as_file, on_page
from app.money import Unit

AMOUNTS = st.integers(-(10**9), 10**9)
EUROS = Writing(Unit.CENT, lambda it: f"{it} c", lambda it: tick_text(it, Unit.CENT, "€", "fr"))
KEYS = Keys("Avec une carte", "Sans carte", "jeudi 19 novembre")


@given(AMOUNTS, AMOUNTS, st.sampled_from([None, *Unit]))
def test_an_axis_holds_all_amounts_and_zero_at_few_even_marks(one: int, other: int, unit: Unit | None) -> None:
    marks = ticks(min(one, other), max(one, other), unit)
    assert marks[0] <= min(one, other, 0)
    assert marks[-1] >= max(one, other, 0)
    assert 0 in marks
    assert 2 <= len(marks) <= STEPS_MAX + 2
    assert len({after - before for before, after in pairwise(marks)}) == 1


@pytest.mark.parametrize(
    ("minor", "unit", "said"),
    [(2000, Unit.CENT, "20 €"), (50, Unit.CENT, "0,50 €"), (90, Unit.MINUTE, "1 h 30"), (1500, None, "1 500")],
)
def test_marks_are_written_as_people_write_amounts(minor: int, unit: Unit | None, said: str) -> None:
    assert tick_text(minor, unit, "€", "fr").replace("\u202f", " ").replace("\u00a0", " ") == said


BARS = st.lists(
    st.builds(
        Bar, st.text(max_size=80), st.integers(0, 10**8), st.integers(0, 10**8), st.none() | st.integers(0, 10**8)
    ),
    max_size=24,
)


@settings(deadline=None)
@given(BARS, st.sampled_from([NARROW, WIDE]), st.sampled_from([standing, paired, lying]))
def test_nothing_is_drawn_outside_of_the_picture(bars: list[Bar], width: int, draw: Draw) -> None:
    drawing = draw(width, "Ventes", "Le plus : 23 h", bars, KEYS, EUROS)
    for it in drawing.shapes:
        if it.tag == "rect":
            x, y = float(it.attributes["x"]), float(it.attributes["y"])
            assert 0 <= x <= x + float(it.attributes["width"]) <= width + 0.1
            assert 0 <= y <= y + float(it.attributes["height"]) <= drawing.height + 0.1


def test_who_cannot_see_it_is_told_and_names_are_only_text() -> None:
    bars = [Bar("<script>alert(1)</script>", 100, said="<b>")]
    page = on_page(standing(WIDE, "Ventes & co", "Le plus : 23 h", bars, Keys(), EUROS), "hours-w")
    assert 'role="img" aria-labelledby="hours-w-t hours-w-d"' in page
    assert '<title id="hours-w-t">Ventes &amp; co</title><desc id="hours-w-d">Le plus : 23 h</desc>' in page
    assert "<script" not in page
    assert "style=" not in page, "the pages' policy lets no style stand in an element"


def test_a_file_says_its_looks_and_two_lines_differ_without_colour() -> None:
    drawn = [Line("ce soir", [100, 250]), Line("jeudi 19", [50, 120, 300])]
    drawing = lines(WIDE, "Ventes", "", ["20 h", "21 h", "22 h"], drawn, EUROS)
    file = ElementTree.fromstring(as_file(drawing))
    paths = list(file.iter("{http://www.w3.org/2000/svg}path"))
    assert [it.get("stroke-dasharray") for it in paths] == ["7 5", None]
    assert [it.get("d", "").count("L") for it in paths] == [2, 1], "as far as the evening has come"
    texts = [it.text for it in file.iter("{http://www.w3.org/2000/svg}text")]
    assert {"Ventes", "ce soir", "jeudi 19", "250 c", "300 c"} <= set(texts)
