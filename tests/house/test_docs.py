"""Pages that name settings, options and files name all of them, and only those that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from app.platform.settings import Settings
from readers.cli import terminal

HOUSE = Path(__file__).parents[2]
SERVER, PI = HOUSE / "docs" / "running-a-server.md", HOUSE / "docs" / "raspberry-pi.md"
PAGES = [*sorted((HOUSE / "docs").rglob("*.md")), HOUSE / "CHANGELOG.md", HOUSE / "README.md"]
PARTS = re.compile(r"^(?:## |\*\*)(Context|Decision|Rejected)\b", re.MULTILINE)


def settings_table() -> str:
    """The table of docs/running-a-server.md, as app/platform/settings.py says it."""
    rows = ["| setting | without it | what it is |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        assert field.default is not PydanticUndefined, f"{name} has no default: say in the page what happens without it"
        default = f"`{field.default}`" if field.default not in (None, ()) else "–"
        rows.append(f"| `COMPTOIR_{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows)


def test_the_table_of_settings_is_that_of_the_code() -> None:
    assert settings_table() in SERVER.read_text(), f"docs/running-a-server.md should have:\n\n{settings_table()}\n"


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_pi_page_names_every_option_of_the_terminal_and_no_other() -> None:
    named = set(re.findall(r"COMPTOIR_TERMINAL_[A-Z_]+", PI.read_text()))
    assert named == {parameter.envvar for parameter in terminal.params if parameter.envvar}


@pytest.mark.parametrize(
    "page", [*sorted((HOUSE / "docs").rglob("*.md")), HOUSE / "CHANGELOG.md"], ids=lambda p: p.name
)
def test_files_that_pages_name_are_there(page: Path) -> None:
    linked = [target for target in re.findall(r"\]\(([^)#\s]+)", page.read_text()) if "://" not in target]
    named = re.findall(r"`((?:app|readers|migrations|tests|docs)/[\w./-]+\.\w+)`", page.read_text())
    missing = [t for t in linked if not (page.parent / t).exists()] + [n for n in named if not (HOUSE / n).exists()]
    assert missing == []


def test_every_decision_tells_its_context_what_was_decided_and_what_was_rejected() -> None:
    pages = sorted((HOUSE / "docs" / "decisions").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    for page in pages:
        assert PARTS.findall(page.read_text()) == ["Context", "Decision", "Rejected"], page.name
