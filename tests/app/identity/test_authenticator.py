"""Codes of an authenticator: what RFC 6238 says they are, how they are sealed, and how few guesses there are."""

from __future__ import annotations

import base64
import hmac
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identity.authenticator import (
    WAITS_US,
    address,
    is_recovery_code,
    matching_step,
    new_recovery_code,
    new_secret,
    recovery_sha256,
    seal,
    unseal,
    wait_us,
)

# RFC 6238, appendix B, for SHA-1: the last six of its eight digits.
SECRET = base64.b32encode(b"12345678901234567890").decode()
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
]
KEY, OTHER_KEY = bytes(range(32)), bytes(32)
MARIE, LUCAS = UUID(int=1), UUID(int=2)
DAY_US = 24 * 3600 * 1_000_000


@pytest.mark.parametrize(("at_s", "code"), VECTORS)
def test_codes_are_those_of_the_standard(at_s: int, code: str) -> None:
    assert matching_step(SECRET, code, at_s * 1_000_000) == at_s // 30
    assert matching_step(SECRET, f" {code[:3]} {code[3:]}\n", at_s * 1_000_000) == at_s // 30


@pytest.mark.parametrize(("at_s", "code"), VECTORS[1:])
def test_a_clock_may_differ_by_one_step_and_no_more(at_s: int, code: str) -> None:
    step = at_s // 30
    found = {off: matching_step(SECRET, code, (step + off) * 30 * 1_000_000) for off in (-2, -1, 0, 1, 2)}
    assert found == {-2: None, -1: step, 0: step, 1: step, 2: None}


@pytest.mark.parametrize("code", ["", "28708", "2870822", "é12345", "２８７０８２", "287082\x00", "0" * 40])
def test_nothing_else_is_a_code(code: str) -> None:
    assert matching_step(SECRET, code, 59_000_000) is None


def test_the_authenticator_is_told_the_secret_and_whose_it_is() -> None:
    told = urlsplit(address(SECRET, "marie@bar.example"))
    assert (told.scheme, told.netloc) == ("otpauth", "totp")
    assert parse_qs(told.query) == {"secret": [SECRET], "issuer": ["Comptoir"]}
    secrets = {new_secret() for _ in range(20)}
    assert len(secrets) == 20
    assert {len(base64.b32decode(it)) for it in secrets} == {20}


def test_a_sealed_secret_opens_with_its_key_for_its_person_only() -> None:
    sealed = seal(KEY, MARIE, SECRET)
    assert SECRET.encode() not in sealed
    assert seal(KEY, MARIE, SECRET) != sealed, "each with a nonce of its own"
    assert unseal(KEY, MARIE, sealed) == SECRET
    assert unseal(OTHER_KEY, MARIE, sealed) is None
    assert unseal(KEY, LUCAS, sealed) is None
    assert unseal(KEY, MARIE, sealed[:-1] + bytes([sealed[-1] ^ 1])) is None


def test_its_key_is_none_that_terminals_tokens_are_signed_with() -> None:
    """HKDF of RFC 5869 with a context of its own, worked out here by hand."""
    extracted = hmac.digest(bytes(32), KEY, "sha256")
    derived = hmac.digest(extracted, b"comptoir second factor\x01", "sha256")
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    sealed = seal(KEY, MARIE, SECRET)
    assert AESGCM(derived).decrypt(sealed[:12], sealed[12:], MARIE.bytes).decode() == SECRET


def test_recovery_codes_are_read_however_they_are_typed() -> None:
    code = new_recovery_code()
    typed = [code.lower(), code.replace("-", ""), f" {code.replace('-', ' ')} "]
    assert all(is_recovery_code(it) for it in typed)
    assert {recovery_sha256(MARIE, it) for it in typed} == {recovery_sha256(MARIE, code)}
    assert recovery_sha256(LUCAS, code) != recovery_sha256(MARIE, code)
    assert not is_recovery_code("287082")


@given(st.integers(1, 400), st.lists(st.integers(0, 3 * 3600 * 1_000_000), max_size=60))
def test_whoever_guesses_on_has_five_tries_a_day(days: int, pauses: list[int]) -> None:
    """As fast as they are let, or with pauses."""
    now, tries = 0, 0
    while now < days * DAY_US:
        tries += 1
        now += wait_us(tries) + (pauses[tries % len(pauses)] if pauses else 0)
    assert tries <= 15 + 5 * days


@given(st.integers(-5, 10_000))
def test_a_wait_is_none_or_one_of_those_written_down(wrong: int) -> None:
    assert wait_us(wrong) in {0, *WAITS_US.values()}
    assert wait_us(wrong) <= max(wait_us(max(wrong, 0) // 5 * 5 + 5), 0) or wrong % 5 == 0
