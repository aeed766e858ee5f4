"""`comptoir bench terminal` measures what it says, on a network small enough for a test."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli.bench.command import bench
from readers.bench import command
from readers.bench.command import LINES, Figures, measure
from readers.bench.hand import percentile_ms

pytestmark = pytest.mark.faults

FOUND = Figures(1.23456, 2, 3, 4, 5, 6, 7, 8, 10_000, 9, 10, 11, None, None)


def test_every_figure_is_measured(tmp_path: Path) -> None:
    said: list[str] = []
    found = measure(tmp_path, 200, said.append)
    assert found.backlog_sales >= 50, "all that was journalled was delivered"
    figures = asdict(found)
    assert all(value > 0 for value in figures.values()), figures
    assert found.pi_offline_p50_ms >= 30, "each tap waits for the modelled disk"
    assert not [line for line in said if "only" in line]


def test_the_document_has_a_number_for_each_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "measure", lambda *_: FOUND)
    ended = CliRunner().invoke(bench, ["terminal", "--json"])
    document = json.loads(ended.stdout)
    assert document["decision_p50_ms"] == 1.235
    wanted = {"decision_p50_ms", "decision_p99_ms", "rss_mb", "ready_s", "first_sync_s", "backlog_sync_s"}
    assert wanted <= set(document)
    told = CliRunner().invoke(bench, ["terminal"]).stdout
    assert told.count("\n") > len(LINES)
    assert "not measured" in told


def test_a_percentile_is_one_of_the_values() -> None:
    assert percentile_ms([0.25 * n for n in range(1, 101)], 50) == 51 * 250
    assert percentile_ms([0.002], 99) == 2
