"""The demo's network is the example of the documentation."""

from __future__ import annotations

from app.cli.demo.network import NETWORK
from tests.app.cli.conftest import EXAMPLE


def test_the_demo_plays_the_example_word_for_word() -> None:
    assert NETWORK.read_bytes() == EXAMPLE.read_bytes()
