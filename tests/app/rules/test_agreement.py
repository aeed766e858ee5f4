from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from app.rules.agreement import agreeing_private, agreeing_public, unwrapped, wrapped

SEEDS = st.binary(min_size=32, max_size=32).map(Ed25519PrivateKey.from_private_bytes)


def public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


@given(SEEDS)
def test_both_halves_of_a_signing_key_turn_into_the_halves_of_one_that_agrees(key: Ed25519PrivateKey) -> None:
    assert agreeing_private(key).public_key().public_bytes_raw() == agreeing_public(public(key)).public_bytes_raw()


@given(SEEDS, st.binary(max_size=300), st.binary(max_size=40))
def test_the_device_reads_what_was_wrapped_for_it(key: Ed25519PrivateKey, content: bytes, about: bytes) -> None:
    parcel = wrapped(content, public(key), about)
    assert unwrapped(parcel, key, about) == content
    assert parcel != wrapped(content, public(key), about), "no parcel is like another"


@given(SEEDS, SEEDS, st.data())
def test_nobody_else_does_and_not_as_something_else_and_not_damaged(
    key: Ed25519PrivateKey, other: Ed25519PrivateKey, data: st.DataObject
) -> None:
    parcel = wrapped(b"keys", public(key), b"epoch 1")
    if public(other) != public(key):
        with pytest.raises(ValueError, match="somebody else"):
            unwrapped(parcel, other, b"epoch 1")
    with pytest.raises(ValueError, match="somebody else"):
        unwrapped(parcel, key, b"epoch 2")
    at, bit = data.draw(st.integers(0, len(parcel) - 1)), data.draw(st.integers(0, 7))
    damaged = bytearray(parcel)
    damaged[at] ^= 1 << bit
    with pytest.raises(ValueError, match="somebody else"):
        unwrapped(bytes(damaged), key, b"epoch 1")
    with pytest.raises(ValueError, match="somebody else"):
        unwrapped(parcel[: data.draw(st.integers(0, len(parcel) - 1))], key, b"epoch 1")
