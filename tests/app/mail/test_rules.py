"""What is an address, and when a message is tried again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.mail.rules import FIRST_S, GIVEN_UP_US, LONGEST_S, address, again_us


def test_addresses_as_people_type_them() -> None:
    assert address(" Awa@Example.ORG ") == "Awa@example.org"
    assert address("awa.k+bar@sous.example.org") == "awa.k+bar@sous.example.org"
    assert address("awa@café.example") == "awa@xn--caf-dma.example"
    for wrong in (
        "",
        "awa",
        "@b.fr",
        "awa@b",
        "a b@c.fr",
        "a@b..fr",
        "a@b.fr\nBcc: x@y.fr",
        "a@b.fr,c@d.fr",
        "a@-b.fr",
    ):
        assert address(wrong) is None, wrong


@given(st.text())
def test_no_address_can_end_a_header_or_name_a_second_recipient(typed: str) -> None:
    found = address(typed)
    assert found is None or (found.isascii() and found.isprintable() and not set(found) & set(' ,;<>"()\\'))


@given(st.integers(1, 200), st.integers(0, GIVEN_UP_US + 1))
def test_tries_grow_apart_and_come_to_an_end(attempts: int, waited_us: int) -> None:
    now = 10**15
    again = again_us(now - waited_us, attempts, now)
    later = again_us(now - waited_us, attempts + 1, now)
    if waited_us >= GIVEN_UP_US:
        assert again is None
        return
    assert again is not None
    assert later is not None
    assert FIRST_S * 10**6 <= again - now <= later - now <= LONGEST_S * 10**6
