"""`comptoir apply` and `comptoir export`, as somebody at a keyboard sees them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli.apply.command import apply, export
from tests.app.cli.conftest import EXAMPLE

Run = Callable[..., Result]


@pytest.fixture
def run(quick_hashes: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """A command on a folder of its own, with the environment that an operator has."""
    monkeypatch.setenv("COMPTOIR_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("COMPTOIR_DATABASE_URL", raising=False)

    def invoke(*arguments: str, typed: str = "") -> Result:
        command = {"apply": apply, "export": export}[arguments[0]]
        return CliRunner().invoke(command, arguments[1:], input=typed, catch_exceptions=False)

    return invoke


def test_a_network_is_set_up_asked_for_and_read_back(run: Run, tmp_path: Path) -> None:
    refused = run("apply", str(EXAMPLE), typed="n\n")
    assert refused.exit_code == 1
    assert "+ currency RAF: pegged, Rafftou / Rafftou (€)" in refused.output
    assert refused.output.endswith("Nothing was changed.\n")

    done = run("apply", str(EXAMPLE), typed="y\n")
    assert done.exit_code == 0
    assert "changes.\n  admin: password " in done.output

    again = run("apply", str(EXAMPLE))
    assert (again.exit_code, again.output) == (0, "no changes\n")

    file = tmp_path / "out.yaml"
    assert run("export", "--out", str(file)).exit_code == 0
    assert run("apply", str(file)).output == "no changes\n"
    assert "Nadia" not in file.read_text(encoding="utf-8")
    assert "Nadia" in run("export", "--people").output

    file.write_text(file.read_text(encoding="utf-8").replace("'4,50'", "'4,80'"), encoding="utf-8")
    changed = run("apply", str(file), "--yes")
    assert changed.output == "~ product grange / Crêpe: price in RAF 4,50 -> 4,80\nApplied: 1 change.\n"
    assert run("apply", str(file)).output == "no changes\n"


def test_a_program_gets_the_plan_and_then_what_was_done(run: Run) -> None:
    planned = run("apply", str(EXAMPLE), "--json")
    plan = json.loads(planned.output)
    assert (planned.exit_code, plan["ok"], plan["applied"]) == (1, False, False)
    assert plan["changes"][0] == {
        "sign": "+",
        "subject": "network",
        "name": ["Les Comptoirs liés"],
        "text": "time zone Europe/Paris",
    }
    done = json.loads(run("apply", str(EXAMPLE), "--json", "--yes").output)
    assert (done["ok"], done["applied"], done["changes"]) == (True, True, plan["changes"])
    assert {it["login"] for it in done["people"]} == {"admin", "raffinerie", "canal", "grange", "bar"}
    again = run("apply", str(EXAMPLE), "--json")
    assert again.exit_code == 0
    assert json.loads(again.output) == {"ok": True, "applied": False, "changes": [], "people": []}


def test_a_wrong_file_is_refused_before_anything_is_touched(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(EXAMPLE.read_text(encoding="utf-8").replace('"3,50", TEMPS', '"3,5O", TEMPS'), encoding="utf-8")
    found = run("apply", str(file), "--yes")
    assert found.exit_code == 1
    assert "is refused; nothing was changed." in found.output
    assert "venues.raffinerie.products.Demi.prices.RAF: '3,5O' is not an amount" in found.output
    assert not (tmp_path / "data").exists()
    assert json.loads(run("apply", str(file), "--json").output)["problems"][0].startswith("line ")


def test_a_file_that_is_no_text_is_refused(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes("name: Café".encode("latin-1"))
    found = run("apply", str(file))
    assert found.exit_code == 1
    assert "it is not UTF-8" in found.output


def test_a_file_that_is_not_there_is_a_usage_error(run: Run) -> None:
    assert run("apply", "nowhere.yaml").exit_code == 2


def test_there_is_nothing_to_export_without_a_network(run: Run, tmp_path: Path) -> None:
    found = run("export")
    assert found.exit_code == 1
    assert "There is no database" in found.output


def test_what_money_is_cannot_be_changed_by_a_file(run: Run, tmp_path: Path) -> None:
    run("apply", str(EXAMPLE), "--yes")
    file = tmp_path / "other.yaml"
    text = EXAMPLE.read_text(encoding="utf-8").replace("cents_per_unit: 1", "cents_per_unit: 2")
    file.write_text(text, encoding="utf-8")
    found = run("apply", str(file), "--yes")
    assert found.exit_code == 1
    assert "currencies.RAF.cents_per_unit: it is 1 and cannot become 2" in found.output
