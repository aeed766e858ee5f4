"""Pages that name settings, options and files name all of them, and only those that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from app.identity import acts
from app.identity.acts import Act
from app.identity.rights import ACT_OF
from app.identity.roles import PERSONAL
from app.platform.settings import Settings
from readers.cli import terminal

HOUSE = Path(__file__).parents[2]
SERVER, PI = HOUSE / "docs" / "running-a-server.md", HOUSE / "docs" / "raspberry-pi.md"
ROLES = HOUSE / "docs" / "roles.md"
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


ROLE_COLUMNS = ("network_admin", "network_accountant", "auditor", "venue_admin", "venue_accountant", "venue_auditor")
ROLE_COLUMNS += ("shift_manager", "cashier")


def matrix_of_roles() -> str:
    """The table of docs/roles.md, as app/identity/acts.py says it; what is no matter of roles is left out."""
    assert set(ROLE_COLUMNS) == set(PERSONAL)
    rows = ["| | " + " | ".join(ROLE_COLUMNS).replace("_", " ") + " |", "|---" + "|:-:" * len(ROLE_COLUMNS) + "|"]
    for act in (it for it in vars(acts).values() if isinstance(it, Act)):
        if act.roles & PERSONAL:
            rows.append(f"| {act.said} | " + " | ".join("x" if it in act.roles else "" for it in ROLE_COLUMNS) + " |")
    return "\n".join(rows)


def test_the_matrix_of_roles_is_that_of_the_code() -> None:
    assert matrix_of_roles() in ROLES.read_text(), f"docs/roles.md should have:\n\n{matrix_of_roles()}\n"


def test_every_act_of_the_matrix_is_some_endpoint_s() -> None:
    named = {name: it for name, it in vars(acts).items() if isinstance(it, Act)}
    assert [name for name, it in named.items() if it not in ACT_OF.values()] == []


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
