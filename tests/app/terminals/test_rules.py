"""What about a terminal needs somebody, and how much."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.terminals.rules import SILENT_S, Kind, Level, Seen, judge
from app.terminals.words import LEVELS, TROUBLES
from app.wire import TerminalStatus

WELL = TerminalStatus(
    version="1",
    at_us=0,
    running_s=60,
    waiting=0,
    reader="ok",
    snapshot_age_s=5,
    disk_free_mb=8000,
    memory_free_mb=500,
    temperature_c=50,
    power="ok",
)
SEEN = Seen("active", 0, 0, 10, WELL, "1")


def kinds(seen: Seen) -> list[str]:
    return [it.kind for it in judge(seen).troubles]


def told(**change: object) -> Seen:
    return replace(SEEN, status=WELL.model_copy(update=change))


def test_a_terminal_that_is_well_needs_nobody() -> None:
    assert kinds(SEEN) == []
    assert judge(SEEN).may_sell
    assert judge(SEEN).level is Level.FINE


@pytest.mark.parametrize(
    ("change", "kind", "level"),
    [
        ({"reader": "lost"}, "reader_lost", Level.NOW),
        ({"read_only": True}, "read_only", Level.NOW),
        ({"volatile": True}, "volatile", Level.NOW),
        ({"disk_free_mb": 50}, "disk_full", Level.NOW),
        ({"journal_failed": True}, "journal_failed", Level.NOW),
        ({"waiting": 7, "oldest_waiting_s": 3600}, "unsent", Level.NOW),
        ({"halted": "behind"}, "behind", Level.NOW),
        ({"disk_free_mb": 300}, "disk_low", Level.SOON),
        ({"disk_errors": 2}, "disk_errors", Level.SOON),
        ({"card_wear_percent": 90}, "worn", Level.SOON),
        ({"snapshot_age_s": 7200}, "snapshot_old", Level.SOON),
        ({"power": "low_now"}, "power_now", Level.SOON),
        ({"temperature_c": 85}, "hot", Level.SOON),
        ({"memory_free_mb": 20}, "memory_low", Level.SOON),
        ({"power": "low_before"}, "power_before", Level.NOTE),
        ({"version": "0"}, "other_version", Level.NOTE),
    ],
)
def test_each_trouble_alone(change: dict[str, object], kind: str, level: Level) -> None:
    (trouble,) = judge(told(**change)).troubles
    assert (trouble.kind, trouble.level) == (kind, level)


def test_silence_is_graver_with_sales_on_board() -> None:
    silent = replace(SEEN, silent_s=SILENT_S + 1)
    assert kinds(silent) == ["silent"]
    assert kinds(replace(silent, waiting=12)) == ["silent_waiting"]
    # What passes by itself is not told of a terminal that is silent; a memory card does not heal.
    worn = replace(told(temperature_c=90, disk_errors=3), silent_s=SILENT_S + 1)
    assert kinds(worn) == ["silent", "disk_errors"]


def test_standing_comes_before_all() -> None:
    assert kinds(replace(told(reader="lost"), standing="quarantined", late=4))[0] == "quarantined"
    revoked = replace(told(reader="lost", halted="revoked"), standing="revoked", waiting=3, silent_s=10**6)
    assert kinds(revoked) == ["revoked_waiting"]
    assert kinds(replace(revoked, late=3)) == ["late_rows"]
    assert not judge(revoked).may_sell


def test_every_trouble_has_words_and_each_level_but_fine_a_tone() -> None:
    assert set(TROUBLES) == set(get_args(Kind))
    assert set(LEVELS) == set(Level) - {Level.FINE}


STATUSES = st.builds(
    WELL.model_copy,
    update=st.fixed_dictionaries(
        {},
        optional={
            "reader": st.sampled_from(["ok", "lost"]),
            "read_only": st.booleans(),
            "disk_free_mb": st.none() | st.integers(0, 10**5),
            "disk_errors": st.none() | st.integers(0, 9),
            "snapshot_age_s": st.none() | st.integers(0, 10**6),
            "halted": st.sampled_from([None, "quarantined", "revoked", "behind"]),
            "oldest_waiting_s": st.none() | st.integers(0, 10**6),
        },
    ),
)


@given(
    st.builds(
        Seen,
        standing=st.sampled_from(["active", "quarantined", "revoked"]),
        waiting=st.integers(0, 10**6),
        skew_ms=st.integers(-(10**9), 10**9),
        silent_s=st.integers(0, 10**7),
        status=st.none() | STATUSES,
        version=st.just("1"),
        late=st.integers(0, 5),
    )
)
def test_the_most_pressing_comes_first_and_nothing_twice(seen: Seen) -> None:
    judged = judge(seen)
    levels = [it.level for it in judged.troubles]
    assert levels == sorted(levels, reverse=True)
    assert judged.level == max(levels, default=Level.FINE)
    assert len({it.kind for it in judged.troubles}) == len(judged.troubles)
    # Who may not sell is told why.
    assert judged.may_sell or judged.troubles or seen.standing == "revoked"
