"""What time it is, when the wall clock is set and the server is not always there to ask."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from readers.journal import Clock, Stamp

DAY_US = 86_400_000_000
SECOND_US = 1_000_000


class Hands(Clock):
    """A clock whose wall and monotonic clocks are moved by hand; both begin at their own time."""

    def __init__(self, wall_us: int = 1000 * DAY_US, monotonic_ns: int = 5_000_000_000, boot: str = "this") -> None:
        self.wall, self.monotonic = wall_us, monotonic_ns
        super().__init__()
        self.boot = boot

    def wall_us(self) -> int:
        return self.wall

    def monotonic_ns(self) -> int:
        return self.monotonic

    def passes(self, us: int) -> None:
        self.wall += us
        self.monotonic += us * 1000


steps = st.lists(
    st.tuples(st.sampled_from(["passes", "set"]), st.integers(-3 * DAY_US, 3 * DAY_US)), min_size=1, max_size=12
)


@given(steps)
def test_setting_the_wall_clock_does_not_change_what_the_server_said(steps: list[tuple[str, int]]) -> None:
    clock, true_us = Hands(), 2000 * DAY_US
    clock.note_server_time(true_us)
    for what, us in steps:
        if what == "set":
            clock.wall += us
        else:
            clock.passes(abs(us))
            true_us += abs(us)
        assert clock.now_us() == true_us
        assert clock.offset_us == true_us - clock.wall
        assert clock.skewed == (abs(true_us - clock.wall) > 300 * SECOND_US)


@given(steps)
def test_before_the_server_was_heard_time_is_the_wall_clock_s_and_not_before_the_start(
    steps: list[tuple[str, int]],
) -> None:
    clock = Hands()
    least_us = clock.now_us()
    for what, us in steps:
        if what == "set":
            clock.wall += us
        else:
            clock.passes(abs(us))
            least_us += abs(us)
        assert clock.now_us() == max(least_us, clock.wall)
    assert clock.offset_us is None


def test_a_start_in_the_same_boot_goes_on_with_what_was_known() -> None:
    clock = Hands(wall_us=1003 * DAY_US, monotonic_ns=65_000_000_000)
    clock.go_on_from(Stamp(1000 * DAY_US, 5_000_000_000, "this", -DAY_US))
    assert clock.now_us() == 999 * DAY_US + 60 * SECOND_US
    assert clock.skewed


def test_a_machine_that_woke_up_in_the_past_goes_on_after_its_last_row() -> None:
    clock = Hands(wall_us=900 * DAY_US, monotonic_ns=0)
    clock.go_on_from(Stamp(1000 * DAY_US, 9_000_000_000, "another", None))
    clock.passes(SECOND_US)
    assert clock.now_us() == 1000 * DAY_US + SECOND_US
    assert clock.skewed
    # Somebody set it right.
    clock.wall = 1001 * DAY_US
    assert clock.now_us() == 1001 * DAY_US
    assert not clock.skewed
