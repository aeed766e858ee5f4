"""Ids that sort by their birth, and meet no other."""

from __future__ import annotations

from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from app.rules.ids import derived, uuid7

instants = st.integers(0, 2**48 * 1000 - 1)


@given(instants)
def test_an_id_is_a_uuid_of_version_7_and_says_its_millisecond(at_us: int) -> None:
    id_ = uuid7(at_us)
    assert (id_.version, id_.variant) == (7, RFC_4122)
    assert id_.int >> 80 == at_us // 1000


@given(instants, st.integers(1000, 10**12))
def test_ids_sort_by_the_millisecond_of_their_birth(at_us: int, later_us: int) -> None:
    if at_us + later_us < 2**48 * 1000:
        first, second = uuid7(at_us), uuid7(at_us + later_us)
        assert first < second
        assert str(first) < str(second)
        assert first.bytes < second.bytes


def test_no_two_ids_of_one_instant_are_alike() -> None:
    assert len({uuid7(1_700_000_000_000_000) for _ in range(5000)}) == 5000


def test_every_bit_that_is_free_is_random() -> None:
    ones = zeros = 0
    for _ in range(200):
        value = uuid7(0).int
        ones, zeros = ones | value, zeros | ~value
    free = (2**80 - 1) & ~(0xF << 76) & ~(0x3 << 62)
    assert ones & free == free
    assert zeros & free == free
    assert isinstance(uuid7(), UUID)


def test_a_derived_id_follows_from_its_parts_and_is_a_uuid_of_version_8() -> None:
    id_ = derived("bank-line", UUID(int=1), 2)
    assert id_ == derived("bank-line", UUID(int=1), 2)
    assert len({id_, derived("bank-line", UUID(int=1), 3), derived("bank", UUID(int=1), 2), derived("a", "b")}) == 4
    assert (id_.version, id_.variant) == (8, "specified in RFC 4122")
