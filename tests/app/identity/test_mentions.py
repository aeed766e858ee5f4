"""By which words a row of the audit log is found."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identity.mentions import WORD_LENGTH_MAX, mentioned

ANA, BAR, RUN = (str(UUID(int=it)) for it in (1, 2, 3))


@pytest.mark.parametrize(
    ("actor", "subject", "details", "asked", "words"),
    [
        (f"person:{ANA}", "network", "{}", "", {ANA}),
        ("server", f"venue:{BAR}", "{}", "", {BAR}),
        ("server", f"run:{RUN}", json.dumps({"left_out": [BAR]}), "", {RUN, BAR}),
        ("server", "books:raffinerie", "{}", "", {"raffinerie"}),
        ("server", f"person:{ANA.upper()}", "{}", "", {ANA}),
        # Addresses: what stands behind the room, and what was asked for.
        ("server", f"/admin/people/{ANA}", "{}", "", {ANA}),
        ("server", "/admin/books/raffinerie/2026-10/fec", "{}", "", {"raffinerie", "fec"}),
        ("server", "/admin/closings/canal.csv", "{}", "", {"canal"}),
        ("server", "/api/v1/books/canal", "{}", "", {"canal"}),
        ("server", "/admin/positions.csv", "{}", "venue=canal&first=2026-10-01&x=", {"canal"}),
        ("server", "/admin/books", "{}", "", set()),
        ("server", "/", "{}", "", set()),
        ("command line", "currency:RAF", '{"name": "canal"}', "", set()),
    ],
)
def test_words_are_ids_wherever_they_stand_and_short_names_in_addresses(
    actor: str, subject: str, details: str, asked: str, words: set[str]
) -> None:
    assert mentioned(actor, subject, details, asked) == words


@given(st.text(), st.text(), st.text(), st.text())
def test_whatever_was_written_has_words_that_the_table_holds(
    actor: str, subject: str, details: str, asked: str
) -> None:
    for word in mentioned(actor, "/" + subject, details, asked):
        assert 0 < len(word) <= WORD_LENGTH_MAX
        assert word.isascii()
