"""Terminals' tokens: only ours, only in time, only as written."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identity.tokens import EPOCH_MAX, TerminalToken, issue_terminal_token, read_terminal_token
from app.platform.errors import NotSignedIn

KEY = b"k" * 32
DEVICE = UUID(int=7)


@given(st.uuids(), st.integers(0, EPOCH_MAX), st.integers(1, 7_258_118_400_000_000))
def test_a_token_tells_what_was_put_in(device: UUID, epoch: int, expires_at_us: int) -> None:
    token = issue_terminal_token(KEY, device, epoch, expires_at_us)
    assert read_terminal_token(KEY, token, expires_at_us - 1) == TerminalToken(device, epoch, expires_at_us)


def test_from_its_expiry_on_it_is_refused() -> None:
    token = issue_terminal_token(KEY, DEVICE, 1, 1000)
    with pytest.raises(NotSignedIn) as error:
        read_terminal_token(KEY, token, 1000)
    assert error.value.code == "token-expired"


def refused(token: str, key: bytes = KEY) -> bool:
    with pytest.raises(NotSignedIn) as error:
        read_terminal_token(key, token, 0)
    return error.value.code == "token-invalid"


def test_another_server_s_token_is_refused() -> None:
    assert refused(issue_terminal_token(b"x" * 32, DEVICE, 1, 1000))


@given(st.data())
def test_a_token_changed_in_any_character_is_refused(data: st.DataObject) -> None:
    token = issue_terminal_token(KEY, DEVICE, 1, 1000)
    position = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters().filter(lambda character: character != token[position]))
    assert refused(token[:position] + other + token[position + 1 :])


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    assert refused(text)
    assert refused(f"ct1_{text}")


@pytest.mark.parametrize("ending", ["=", "\n", " ", "A"])
def test_only_one_spelling_of_a_token_is_known(ending: str) -> None:
    assert refused(issue_terminal_token(KEY, DEVICE, 1, 1000) + ending)


def test_an_expired_token_of_another_server_is_not_told_to_be_expired() -> None:
    assert refused(issue_terminal_token(b"x" * 32, DEVICE, 1, 0))
