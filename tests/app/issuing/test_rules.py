"""Codes, ids and pasted lists, without a database."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.issuing.rules import CODE_LETTERS, LETTERS, code_hash, read_list, voucher_code

KEY = bytes(32)


@given(st.uuids(), st.sampled_from(["", "-", " ", ". "]), st.booleans())
def test_a_code_is_known_however_it_is_typed(voucher: UUID, between: str, small: bool) -> None:
    code = voucher_code(KEY, voucher)
    typed = code.replace("-", between)
    assert code_hash(typed.lower() if small else typed) == code_hash(code) is not None
    assert set(code) <= {*LETTERS, "-"}
    assert [len(group) for group in code.split("-")] == [4, 4, 4, 4]


@given(st.uuids(), st.uuids())
def test_codes_differ_by_voucher_and_by_server(one: UUID, other: UUID) -> None:
    assert (voucher_code(KEY, one) == voucher_code(KEY, other)) == (one == other)
    assert voucher_code(KEY, one) != voucher_code(bytes([1] * 32), one)


@pytest.mark.parametrize("typed", ["", "A" * (CODE_LETTERS - 1), "A" * (CODE_LETTERS + 1), "É" * CODE_LETTERS])
def test_what_can_be_no_code_is_none(typed: str) -> None:
    assert code_hash(typed) is None


@given(st.text(max_size=40))
def test_anything_typed_is_a_code_or_not(typed: str) -> None:
    found = code_hash(typed)
    assert found is None or len(found) == 32


def test_a_list_is_read_as_it_is_pasted() -> None:
    pasted = '001 Awa\n\n"002";"12,50"\n04A0000000A003\t3\tseen\n   \n004;'
    assert [(it.line, it.card, it.amount) for it in read_list(pasted)] == [
        (1, "001 Awa", ""),
        (3, "002", "12,50"),
        (4, "04A0000000A003", "3"),
        (6, "004", ""),
    ]
