from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.chips.diversify import card_key
from app.rules.chips.keyring import APPLICATION, CHIPS, CardKey, derived, packed, till_key, unpacked

UIDS = st.sampled_from((4, 7, 10)).flatmap(lambda size: st.binary(min_size=size, max_size=size))
SIXTEEN = st.binary(min_size=16, max_size=16)
CARDS = st.dictionaries(
    UIDS, st.builds(till_key, SIXTEEN, UIDS, st.sampled_from(CHIPS), st.integers(1, 255)), max_size=8
)


@given(st.dictionaries(st.none() | st.integers(1, 2**63 - 1), CARDS, max_size=3))
def test_what_is_packed_is_unpacked(groups: dict[int | None, dict[bytes, CardKey]]) -> None:
    found = unpacked(packed({until_us: cards.items() for until_us, cards in groups.items()}))
    wanted = {uid: (key, until_us) for until_us, cards in groups.items() for uid, key in cards.items()}
    assert found == wanted


@given(st.binary(max_size=200))
def test_other_bytes_are_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(ValueError):
        unpacked(content)


@given(CARDS.filter(bool), st.data())
def test_what_is_cut_off_is_refused(cards: dict[bytes, CardKey], data: st.DataObject) -> None:
    whole = packed({None: cards.items()})
    with pytest.raises(ValueError, match=r"cut off|no sense"):
        unpacked(whole[: data.draw(st.integers(1, len(whole) - 1))])


def test_each_card_number_and_version_has_a_key_of_its_own() -> None:
    master, uid = bytes(range(16)), bytes.fromhex("04A1B2C3D4E580")
    assert derived(master, uid, 1, 1) == card_key(master, uid, APPLICATION + b"\x01\x01")
    keys = {derived(master, uid, number, version) for number in range(5) for version in (1, 2, 255)}
    keys |= {derived(master, uid[:-1] + b"\x81", 1, 1), derived(bytes(16), uid, 1, 1)}
    assert len(keys) == 17


def test_a_key_is_never_shown() -> None:
    assert "key=" not in repr(CardKey("ntag424", bytes(16), 1))
