"""Two slots on a card: a write that tore anywhere leaves the state before it or the one after it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.rules.chips import aes
from app.rules.chips.allowance import (
    EPOCH_MAX,
    FILE_BYTES,
    MINOR_MAX,
    OWED_MAX,
    SEQUENCE_MAX,
    SLOT_BYTES,
    Carried,
    Owed,
    Slots,
    blank,
    read,
    written,
)

KEY, OTHER = bytes(range(16)), bytes(16)
OWED = st.builds(
    Owed,
    st.binary(min_size=3, max_size=3),
    st.integers(0, EPOCH_MAX),
    st.integers(0, SEQUENCE_MAX),
    st.binary(min_size=2, max_size=2),
    st.integers(1, MINOR_MAX),
)
CARRIED = st.builds(Carried, st.lists(OWED, max_size=OWED_MAX).map(tuple), st.integers(0, (1 << 48) - 1))


def slots_of(file: bytes, key: bytes = KEY) -> Slots:
    found = read(key, file)
    assert found is not None
    return found


def put(file: bytes, carried: Carried, torn_at: int = SLOT_BYTES) -> bytes:
    """The file after a write of which the chip kept the first bytes."""
    offset, new = written(KEY, slots_of(file), carried)
    return file[:offset] + new[:torn_at] + file[offset + torn_at : offset + SLOT_BYTES] + file[offset + SLOT_BYTES :]


def test_a_blank_card_owes_nothing() -> None:
    assert len(blank(KEY)) == FILE_BYTES
    assert slots_of(blank(KEY)).carried == Carried()


@given(st.lists(CARRIED, min_size=1, max_size=4))
def test_the_last_one_written_counts(states: list[Carried]) -> None:
    file = blank(KEY)
    for state in states:
        file = put(file, state)
        assert len(file) == FILE_BYTES
        assert slots_of(file).carried == state


def test_the_counter_has_no_end() -> None:
    file = blank(KEY)
    for number in range(1, 600):
        state = Carried((), number)
        file = put(file, state)
        assert slots_of(file).carried == state


@given(st.lists(CARRIED, min_size=1, max_size=3), CARRIED, CARRIED)
def test_torn_at_any_byte_one_state_stands_and_the_next_write_holds(
    states: list[Carried], torn: Carried, after: Carried
) -> None:
    file = blank(KEY)
    for state in states:
        file = put(file, state)
    for at in range(SLOT_BYTES + 1):
        left = put(file, torn, at)
        now = slots_of(left).carried
        assert now in (states[-1], torn)
        assert at < SLOT_BYTES or now == torn
        # Torn once more where it tore before: still one of those that were whole.
        assert slots_of(put(left, after, at)).carried in (now, after)
        assert slots_of(put(left, after)).carried == after


@given(CARRIED, CARRIED, st.integers(0, 8 * FILE_BYTES - 1))
def test_a_bit_that_turned_costs_its_slot_and_no_more(one: Carried, two: Carried, bit: int) -> None:
    file = put(put(blank(KEY), one), two)
    damaged = bytearray(file)
    damaged[bit // 8] ^= 1 << bit % 8
    newer = slots_of(file).place * SLOT_BYTES
    hit = newer <= bit // 8 < newer + SLOT_BYTES
    assert slots_of(bytes(damaged)).carried == (one if hit else two)


@given(CARRIED)
def test_with_both_slots_damaged_or_other_keys_it_carries_nothing_that_counts(state: Carried) -> None:
    file = bytearray(put(blank(KEY), state))
    assert read(OTHER, bytes(file)) is None
    file[5] ^= 1
    file[SLOT_BYTES + 5] ^= 1
    assert read(KEY, bytes(file)) is None


@given(CARRIED, CARRIED, CARRIED)
def test_an_old_slot_that_is_put_back_over_the_older_one_changes_nothing(a: Carried, b: Carried, c: Carried) -> None:
    first = put(blank(KEY), a)
    old = first[SLOT_BYTES:]
    file = put(put(first, b), c)
    now = slots_of(file)
    assert now.place == 1, "the slot of the first state holds the newest"
    file = put(file, b)
    assert slots_of(file[:SLOT_BYTES] + old).carried == b


@given(st.binary(max_size=2 * FILE_BYTES))
def test_any_other_bytes_carry_nothing(file: bytes) -> None:
    assert read(KEY, file) is None


def test_a_whole_slot_that_makes_no_sense_carries_nothing() -> None:
    body = bytes((1, 0)) + bytes(6) + b"abc".ljust(12, b"\x00") + bytes(36)
    assert read(KEY, body + aes.short_cmac(aes.cmac(KEY, b"comptoir card v1"), body) + bytes(SLOT_BYTES)) is None
