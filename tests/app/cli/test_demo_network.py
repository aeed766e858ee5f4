"""The demo's network is the example of the documentation, and its evening costs the same at any hour."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.cli.demo.network import NETWORK, read_network
from app.cli.demo.script import BUILT_IN, BadScript, read_script
from tests.app.cli.conftest import EXAMPLE


def test_the_demo_plays_the_example_word_for_word() -> None:
    assert NETWORK.read_bytes() == EXAMPLE.read_bytes()


def test_the_evening_costs_the_same_at_any_hour(tmp_path: Path) -> None:
    assert read_script(BUILT_IN, read_network()).steps
    written = tmp_path / "evening.yaml"
    written.write_text("title: t\nsteps:\n  - sale: {venue: raffinerie, card: 1, items: {Pinte: 1}}\n")
    with pytest.raises(BadScript, match="at some hours"):
        read_script(written, read_network())
