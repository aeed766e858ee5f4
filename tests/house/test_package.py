"""What is installed, what is locked, and what must not stand in any file."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points, version
from pathlib import Path

import click
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HOUSE = Path(__file__).parents[2]
PROJECT = tomllib.loads((HOUSE / "pyproject.toml").read_text())["project"]
COMMANDS: dict[str, str] = PROJECT["entry-points"]["comptoir.commands"]

# Put together here, so that this file does not name them either.
FORBIDDEN = (
    "pypi" + ".org",
    "python" + "hosted",
    "npmjs" + ".",
    "un" + "pkg.com",
    "js" + "delivr",
    "/work" + "/",
    "/tmp/" + "venv",
    "/root" + "/",
    "/opt/" + "pypi",
    "/opt/" + "wheels",
)
NOT_OURS = {"__pycache__", "node_modules", "build", "dist", "comptoir-data"}


def files() -> Iterator[Path]:
    """Every file of the checkout that belongs to the project; hidden folders are caches, but for .ci."""
    for folder, folders, names in os.walk(HOUSE):
        folders[:] = [f for f in folders if f not in NOT_OURS and (f == ".ci" or not f.startswith("."))]
        yield from (Path(folder, name) for name in names)


def comptoir(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the console command; the last line of its output names the modules that were loaded."""
    run = (
        "import sys\nfrom app.cli import main\n"
        "try:\n    main(sys.argv[1:])\nfinally:\n    print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    )
    return subprocess.run([sys.executable, "-c", run, *arguments], capture_output=True, text=True, check=True, cwd="/")


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_that_is_installed_loads(name: str) -> None:
    (point,) = entry_points(group="comptoir.commands", name=name)
    assert point.value == COMMANDS[name]
    assert isinstance(point.load(), click.Command)


def test_the_console_command_is_installed_under_its_name() -> None:
    (point,) = entry_points(group="console_scripts", name="comptoir")
    assert point.value == PROJECT["scripts"]["comptoir"]
    assert isinstance(point.load(), click.Group)


def test_help_lists_every_command_and_loads_neither_server_nor_reader() -> None:
    *lines, loaded = comptoir("--help").stdout.splitlines()
    listed = {line.split()[0] for line in lines[lines.index("Commands:") + 1 :] if re.match(r"  \w", line)}
    assert listed == set(COMMANDS)
    assert not {"nfc", "fastapi", "uvicorn"} & set(loaded.split())


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(name: str) -> None:
    said = comptoir(name, "--help").stdout
    assert said.startswith("Usage:")
    assert "--help" in said


def test_the_changelogs_newest_entry_is_the_installed_version() -> None:
    newest = re.search(r"^## \[([^\]]+)\] - (\d{4}-\d{2}-\d{2})$", (HOUSE / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert newest is not None
    assert newest[1] == PROJECT["version"] == version("comptoir")


def test_the_lock_pins_every_dependency_within_its_bounds() -> None:
    lines = (HOUSE / "requirements.lock").read_text().splitlines()
    pins = {m[1]: m[2] for line in lines if (m := re.match(r"([a-z0-9-]+)==([^ ]+)", line))}
    extras = PROJECT["optional-dependencies"].values()
    wanted = [Requirement(text) for text in [*PROJECT["dependencies"], *(one for extra in extras for one in extra)]]
    loose = [r for r in wanted if not r.specifier.contains(pins.get(canonicalize_name(r.name), "0"), prereleases=True)]
    assert loose == [], "compile requirements.lock again (docs/decisions/0007-constraints-lock.md)"
    assert all(line.startswith("#") or "==" in line for line in lines), "one pin a line, and no option of pip"


def test_no_file_names_a_registry_or_a_place_on_the_machine_it_was_written_on() -> None:
    found = []
    for path in files():
        text = path.read_bytes().decode(errors="ignore")
        found += [f"{path.relative_to(HOUSE)}: {word}" for word in FORBIDDEN if word in text]
    assert found == []


def test_import_contracts_hold() -> None:
    run = "from importlinter.cli import lint_imports_command as lint; lint(['--no-cache', '--no-logo'])"
    done = subprocess.run([sys.executable, "-c", run], capture_output=True, text=True, check=False, cwd=HOUSE)
    assert done.returncode == 0, done.stdout + done.stderr
