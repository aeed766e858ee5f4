"""Every text a person may read exists in French, and the catalogs hold nothing that no page says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

ROOT = Path(__file__).parents[3]

# Each catalog and the code that speaks through it. The agent has its own: it does not import the server's web room.
CATALOGS = {"app": ROOT / "app/web/locale/fr.po", "readers/kiosk": ROOT / "readers/kiosk/locale/fr.po"}
ROOMS = [room for room, catalog in CATALOGS.items() if catalog.exists()]

TEMPLATES = {"trimmed": "true", "newstyle_gettext": "true", "silent": "false"}
EXTRACTORS: dict[str, tuple[Any, dict[str, str]]] = {
    ".py": ("python", {}),
    ".js": ("javascript", {}),
    ".html": (babel_extract, TEMPLATES),
    # E-mail as text.
    ".txt": (babel_extract, TEMPLATES),
}

Id = str | tuple[str, ...]


def spoken(folder: Path) -> dict[Id, str]:
    """Message ids in the code under `folder`, each with where it stands. Raises on a template that does not parse."""
    found: dict[Id, str] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix not in EXTRACTORS:
            continue
        method, options = EXTRACTORS[path.suffix]
        with path.open("rb") as file:
            for line, message, _, _ in extract(method, file, options=options):
                found.setdefault(_id(message), f"{path.relative_to(ROOT)}:{line}")
    return found


def _id(message: Any) -> Id:
    return message if isinstance(message, str) else tuple(message)


def written(catalog: Path) -> dict[Id, list[str]]:
    """The catalog's translations, by message id."""
    with catalog.open("rb") as file:
        entries: Catalog = read_po(file, locale="fr", abort_invalid=True)
    assert not [entry.id for entry in entries if entry.fuzzy and entry.id], "fuzzy entries are guesses: settle them"
    return {_id(entry.id): list(_strings(entry.string)) for entry in entries if entry.id}


def _strings(string: Any) -> Iterator[str]:
    yield from [string] if isinstance(string, str) else string or []


@pytest.mark.parametrize("room", ROOMS)
def test_every_text_has_its_french(room: str) -> None:
    french = written(CATALOGS[room])
    missing = {id_: where for id_, where in spoken(ROOT / room).items() if not all(french.get(id_, [""]))}
    assert not missing, f"to be written in {CATALOGS[room].relative_to(ROOT)}: {missing}"


@pytest.mark.parametrize("room", ROOMS)
def test_the_catalog_holds_nothing_unsaid(room: str) -> None:
    assert sorted(map(str, set(written(CATALOGS[room])) - set(spoken(ROOT / room)))) == []


@pytest.mark.parametrize("room", ROOMS)
def test_translations_take_the_same_values(room: str) -> None:
    for id_, strings in written(CATALOGS[room]).items():
        # The last form is the plural: the singular may well spell its number out.
        plural = id_ if isinstance(id_, str) else id_[-1]
        assert _values(strings[-1]) == _values(plural), f"{id_!r}: {strings[-1]!r}"


def _values(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)\w|%%", text))


@pytest.mark.parametrize("room", ROOMS)
def test_texts_keep_calm_and_say_vous(room: str) -> None:
    for id_, strings in written(CATALOGS[room]).items():
        for text in [*([id_] if isinstance(id_, str) else id_), *strings]:
            assert "!" not in text, text
        for text in strings:
            assert not re.search(r"\b(tu|toi|ton|tes|ta)\b", text, re.IGNORECASE), text
            assert "'" not in text, f"the apostrophe is ’: {text}"


def test_the_extraction_sees_python_templates_plurals_and_marks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "a.py").write_text('N_("one")\ntexts.gettext("two %(n)s", n=1)\ntexts.ngettext("a", "b", 3)\n')
    (tmp_path / "b.html").write_text('{{ _("three") }}{% trans %}\n  four\n  five\n{% endtrans %}')
    (tmp_path / "c.js").write_text('const text = _("six");')
    assert set(spoken(tmp_path)) == {"one", "two %(n)s", ("a", "b"), "three", "four five", "six"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_percent_sign_in_a_template_is_doubled(room: str) -> None:
    """Jinja fills every text of a template in, also one without values: a single sign breaks the page."""
    french = written(CATALOGS[room])
    for id_, where in spoken(ROOT / room).items():
        if where.partition(":")[0].endswith(".py"):
            continue
        texts = [id_] if isinstance(id_, str) else list(id_)
        for text in texts + french.get(id_, []):
            assert "%" not in re.sub(r"%%|%\(\w+\)[sd]", "", text), f"{where}: {text!r}"
