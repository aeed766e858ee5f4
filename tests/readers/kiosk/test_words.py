from __future__ import annotations

import inspect
import re
from importlib.resources import files
from typing import Any

import pytest
from babel.messages.pofile import read_po

from app.rules.offline import Refusal
from readers.kiosk.languages import LANGUAGES, Language, words_in
from readers.kiosk.words import WORDS
from readers.terminal.commands import TillError

KIOSK = files("readers.kiosk")


def scripts_of_the_page() -> list[Any]:
    static = KIOSK / "static"
    return [entry for folder in (static, static / "acts") for entry in folder.iterdir() if entry.name.endswith(".js")]


def sources() -> str:
    scripts = [entry.read_text() for entry in scripts_of_the_page()]
    pages = [(KIOSK / "templates" / name).read_text() for name in ("kiosk.html", "door.html")]
    return "\n".join([*scripts, *pages])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_there_with_the_same_values_in_it(language: Language) -> None:
    words = words_in(language)
    assert words.keys() == WORDS.keys()
    for key, text in words.items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", WORDS[key])), key
        assert "!" not in text, key


def test_the_catalog_holds_nothing_that_is_not_used() -> None:
    with (KIOSK / "locale" / "fr.po").open("rb") as file:
        catalog = read_po(file)
    assert {message.id for message in catalog if message.id} == set(WORDS.values())


@pytest.mark.parametrize("refusal", list(Refusal))
def test_every_refusal_has_a_short_reason_and_what_to_do_next(refusal: Refusal) -> None:
    for language in LANGUAGES:
        words = words_in(language)
        assert len(words[f"refusal.{refusal.value}"].split()) <= 6
        assert words[f"refusal.{refusal.value}.next"].endswith(".")


def test_every_reason_a_till_may_give_has_words() -> None:
    reasons = re.findall(r"[a-z]+_[a-z_]+|busy", inspect.getdoc(TillError) or "")
    assert len(reasons) >= 10
    assert {f"till.{reason}" for reason in reasons} <= WORDS.keys()


def test_every_text_the_page_asks_for_exists_and_every_text_is_asked_for() -> None:
    asked = set(re.findall(r'"([a-z_]+(?:\.[a-z_]+)*)"', sources()))
    asked |= set(re.findall(r"words\['([a-z_.]+)'\]", sources()))
    counted = set(re.findall(r'count\("([a-z_.]+)"', sources()))
    asked |= {f"{key}.{form}" for key in counted for form in ("one", "other")}
    by_reason = (
        *(
            "act.",
            "right.",
            "refusal.",
            "till.",
            "hint.",
            "past.why.",
            "past.act.",
            "past.undone.",
            "past.undo_last.",
            "short.",
            "taken.",
            "slip.",
            "printer.",
            "door.said.",
            "member.",
            "session.",
            "report.",
            "cash.",
        ),
    )
    assert {key for key in WORDS if key not in asked and not key.startswith(by_reason)} == set()
    used = set(re.findall(r'\bt\(\s*"([a-z_.]+)"', sources())) | set(
        re.findall(r"words\[['\"]([a-z_.]+)['\"]\]", sources())
    )
    assert used - WORDS.keys() == set()


def test_no_text_stands_in_the_scripts() -> None:
    for entry in scripts_of_the_page():
        code = re.sub(r"//.*|/\*.*?\*/", "", entry.read_text())
        assert not re.findall(r'"[A-ZÀ-Ý][a-zà-ÿ’]+ [^"]*"', code), entry.name
