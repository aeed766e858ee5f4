"""Who may have a price that is not everybody's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.rules.entitlement import NOTHING, Condition, Known, entitled

known = st.builds(Known, st.booleans(), st.integers(0, 5000), st.integers(0, 5000))
least = st.none() | st.integers(1, 5000)


@given(known, least, st.sampled_from(["hours", "gift"]), st.integers(1, 500))
def test_whoever_gave_more_may_have_no_less(of: Known, at_least: int | None, condition: Condition, more: int) -> None:
    given_more = Known(of.member, of.minutes + more, of.gifts + more)
    if entitled(condition, at_least, of):
        assert entitled(condition, at_least, given_more)
        assert (of.minutes if condition == "hours" else of.gifts) >= (at_least or 1)


@given(known)
def test_each_condition_asks_for_one_thing(of: Known) -> None:
    assert entitled("none", None, of)
    assert entitled("reduced", None, of)
    assert entitled("member", None, of) == of.member
    assert entitled("hours", None, Known(minutes=of.minutes)) == (of.minutes > 0)
    assert not entitled("gift", None, Known(True, of.minutes, 0))


def test_who_is_not_known_has_what_everybody_has() -> None:
    assert [entitled(it, None, NOTHING) for it in ("none", "reduced", "member", "hours", "gift")] == [
        True,
        True,
        False,
        False,
        False,
    ]
