"""`comptoir demo --check`: an evening played through server, terminals, readers and cards, and computed twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.cli.demo.command import demo

ROOT = Path(__file__).parents[2]
PATIENCE_S = 180

SHORT = """
title: Une petite soirée
steps:
  - top_up: {card: 1, amount: "20,00", venue: canal}
  - retry: {}
  - shift: {card: 2, venue: canal, time: 30 min}
  - sale: {venue: canal, card: 1, items: {Café: 2, Limonade: 1}, name: first}
  - sale: {venue: canal, card: 2, items: {Café: 1}, pay: TEMPS}
  - void: {venue: canal, sale: first}
  - unplug: {venue: canal}
  - sale: {venue: canal, card: 1, items: {Part de tarte: 3}}
  - plug: {venue: canal}
"""


def comptoir(*arguments: object, data: Path | None = None) -> subprocess.CompletedProcess[str]:
    """The console command, as another process."""
    environment = {**os.environ, **({"COMPTOIR_DATA": str(data)} if data else {})}
    command = [sys.executable, "-c", "from app.cli import main; main()", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )


def play(tmp_path: Path, script: str) -> tuple[int, dict[str, Any], str]:
    """(exit code, the JSON document, what was said beside it) of a script of one's own."""
    path = tmp_path / "script.yaml"
    path.write_text(script, encoding="utf-8")
    ended = comptoir("demo", "--script", path, "--json", "--data", tmp_path / "demo")
    return ended.returncode, json.loads(ended.stdout) if ended.stdout else {}, ended.stderr


@pytest.mark.faults
def test_the_built_in_evening_ends_as_on_paper(tmp_path: Path) -> None:
    # That it takes less than a minute is measured by .ci/run, where nothing runs beside it.
    ended = comptoir("demo", "--check", "--json", "--data", tmp_path / "demo")
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout)
    assert (said["ok"], said["surprises"], said["differences"]) == (True, [], [])
    verified = comptoir("verify", "--json", data=tmp_path / "demo")
    assert verified.returncode == 0, verified.stderr
    proof = json.loads(verified.stdout)
    for figure in ("operations", "transfers", "accounts", "books", "pegs", "findings", "ok"):
        assert proof[figure] == said["proof"][figure]
    pegged = {it["currency"]: it["issuance"] for it in proof["pegs"]}
    assert pegged == {"RAF": said["circulation"]["RAF"]}
    assert proof["pegs"][0]["liability"] == said["reserve"]["liability_cents"]
    for code, issued in said["circulation"].items():
        held = sum(card.get(code, 0) for card in said["cards"].values())
        taken = sum(venue["claims"].get(code, 0) for venue in said["venues"].values())
        assert held + taken == issued, code


@pytest.mark.faults
def test_a_script_with_other_amounts_gives_other_figures(tmp_path: Path) -> None:
    code, said, errors = play(tmp_path, SHORT)
    assert code == 0, errors
    assert said["cards"] == {"001": {"RAF": 980}, "002": {"TEMPS": 20}}
    assert said["venues"]["canal"] == {"claims": {"RAF": 1020, "TEMPS": 10}, "due_cents": 2000, "net_cents": -980}
    # Before any evening, two memberships of 15,00 and eight tickets of 110,00 in all were paid to venues.
    before = 2 * 1500 + 11_000
    circulation = {code: units for code, units in said["circulation"].items() if units}
    assert circulation == {"RAF": before + 2000, "TEMPS": 30}
    # A second evening on the same data goes on where the first ended, and here one step says what will not happen.
    again = SHORT.replace("20,00", "12,34").replace(
        "items: {Part de tarte: 3}", "items: {Café: 1}, expect: card-blocked"
    )
    code, said, errors = play(tmp_path, again)
    assert code == 1, errors
    assert said["ok"] is False
    assert said["differences"] == []
    assert [line for line in said["surprises"] if "expected card-blocked, ended paid" in line]
    assert said["cards"] == {"001": {"RAF": 980 + 1234 - 160}, "002": {"TEMPS": 40}}
    assert said["proof"]["ok"] is True


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("title: [", "script.yaml"),
        ("steps: []", "title"),
        ("title: x\nsteps:\n  - dance: {}", "steps.0.dance"),
        ("title: x\nsteps:\n  - retry: {}\n    plug: {venue: canal}", "a step says one thing"),
        ('title: x\nsteps:\n  - top_up: {card: 999, amount: "5,00"}', "step 1: there are 36 cards"),
        ("title: x\nsteps:\n  - sale: {venue: nowhere, card: 1, items: {Café: 1}}", "there is no venue 'nowhere'"),
        ("title: x\nsteps:\n  - sale: {venue: canal, card: 1, items: {Champagne: 1}}", "canal sells no 'Champagne'"),
        ("title: x\nsteps:\n  - sale: {venue: canal, card: 1, items: {Café: 0}}", "greater than or equal to 1"),
    ],
    ids=[
        "no yaml",
        "no title",
        "no such step",
        "two things",
        "no such card",
        "no such venue",
        "no such product",
        "no glass",
    ],
)
def test_a_wrong_script_is_told_where_before_anything_starts(tmp_path: Path, script: str, said: str) -> None:
    path = tmp_path / "script.yaml"
    path.write_text(script, encoding="utf-8")
    ended = CliRunner().invoke(demo, ["--script", str(path), "--json", "--data", str(tmp_path / "demo")])
    assert ended.exit_code == 1
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / "demo" / "logs").exists()
