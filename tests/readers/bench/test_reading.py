"""`comptoir bench readers`: every tap of every chip is really read and proven."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from click.testing import CliRunner

from app.cli.bench.command import bench
from readers.bench import reading

RF_MS = 2


def test_all_figures_are_measured_and_a_proof_is_really_made() -> None:
    found = reading.measure(3, baud=None, rf_ms=RF_MS)
    assert (found.bridge_lost, found.bridge_doubled) == (0, 0)
    assert all(value > 0 for name, value in asdict(found).items() if name.endswith("_ms"))
    # However busy the machine is, no talk in the air takes less than the model says, and a proof is four of them.
    assert found.uid_p50_ms >= RF_MS
    assert min(found.auth_p50_ms, found.bridge_auth_p50_ms) >= 4 * RF_MS
    # The proof again, and two talks more: what it carries is read, and written.
    assert found.carry_p50_ms >= 6 * RF_MS


def test_the_document_has_a_number_for_each_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        reading, "measure", lambda taps: reading.Read(1.23456, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 0, 115200, 5, taps)
    )
    document = json.loads(CliRunner().invoke(bench, ["readers", "--quick", "--json"]).stdout)
    assert (document["uid_p50_ms"], document["taps"]) == (1.235, 20)
    assert {"uid_p50_ms", "auth_p50_ms", "auth_p95_ms", "bridge_event_p50_ms", "bridge_lost", "bridge_doubled"} <= set(
        document
    )
    told = CliRunner().invoke(bench, ["readers"]).stdout
    assert told.count("\n") == len(reading.LINES) + len(reading.COUNTS) + 3
    assert "under 120 ms" in told
