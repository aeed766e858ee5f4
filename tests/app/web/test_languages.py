"""Which language a page speaks, and how its messages are set."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.web.i18n import LANGUAGES, _typeset, language_of, texts_in


@pytest.mark.parametrize(
    ("accept", "cookie", "expected"),
    [
        (None, None, "fr"),
        ("", None, "fr"),
        ("en-GB,en;q=0.9,fr;q=0.8", None, "en"),
        ("fr-FR,fr;q=0.9,en;q=0.8", None, "fr"),
        ("de-DE,de;q=0.9,en;q=0.5", None, "en"),
        ("de-DE", None, "fr"),
        ("*", None, "fr"),
        ("fr;q=0.2, en;q=0.7", None, "en"),
        ("en;q=0", None, "fr"),
        ("EN-us", None, "en"),
        ("en;q=nonsense", None, "fr"),
        ("en-GB", "fr", "fr"),
        ("fr-FR", "en", "en"),
        ("en-GB", "de", "en"),
        ("en-GB", "", "en"),
    ],
)
def test_the_choice_beats_the_browser_and_the_browser_beats_the_default(
    accept: str | None, cookie: str | None, expected: str
) -> None:
    assert language_of(accept, cookie) == expected


@given(st.text(), st.text())
def test_no_header_breaks_the_choice(accept: str, cookie: str) -> None:
    assert language_of(accept, cookie) in LANGUAGES


def test_english_is_the_message_itself_and_french_its_translation() -> None:
    assert texts_in("en").gettext("today, %(time)s", time="9:00") == "today, 9:00"
    assert texts_in("fr").gettext("today, %(time)s", time="9 h") == "aujourd’hui, 9 h"


@pytest.mark.parametrize(("number", "expected"), [(0, "0 cards"), (1, "1 card"), (2, "2 cards")])
def test_plurals_know_their_number(number: int, expected: str) -> None:
    assert texts_in("en").ngettext("%(num)s card", "%(num)s cards", number) == expected


def test_a_percent_sign_is_written_twice() -> None:
    assert texts_in("en").gettext("5 %%") == "5 %"


def test_french_is_set_with_its_spaces() -> None:
    assert _typeset("« Rafftou » : payé ? oui ; %(name)s %%") == (
        "«\u00a0Rafftou\u00a0»\u00a0: payé\u202f? oui\u202f; %(name)s %%"
    )
